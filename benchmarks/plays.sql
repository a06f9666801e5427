-- Does a session end with this play? A session ends where the next play is more than half an hour away, or never.
CREATE TEMP TABLE play AS
SELECT *, coalesce(time - lag(time) OVER p, 0) AS gap, coalesce(time - lag(time) OVER p > 1800, true) AS begins,
       coalesce(lead(time) OVER p - time > 1800, true) AS ends,
       row_number() OVER p AS i, max(score) OVER (p ROWS UNBOUNDED PRECEDING) AS best
FROM plays WINDOW p AS (PARTITION BY player ORDER BY time, score);
CREATE TEMP TABLE numbered AS
SELECT *, sum(begins::INT) OVER (PARTITION BY player ORDER BY i) AS session FROM play;
SELECT player || ':' || i AS play_id, player, ends::INT AS ends, score, best, score >= best AS is_best, i AS n_plays, session,
       row_number() OVER s AS n_in_session, gap, time - first_value(time) OVER s AS since_start,
       avg(score) OVER (s ROWS UNBOUNDED PRECEDING) AS mean_score, score - coalesce(lag(score) OVER s, 0) AS change,
       coalesce(lag(gap) OVER s, 0) AS gap_before, hour(to_timestamp(time)) AS hour
FROM numbered WINDOW s AS (PARTITION BY player, session ORDER BY i)
