-- The published protocol: the first two thirds of the cases train; prefixes of two events or more are scored.
CREATE TEMP TABLE step AS
SELECT *, row_number() OVER (PARTITION BY session_id ORDER BY moment, line) AS i, count(*) OVER (PARTITION BY session_id) AS n
FROM (SELECT session_id, current_state AS state, "timestamp"::TIMESTAMP AS moment, row_number() OVER () AS line FROM events);
CREATE TEMP TABLE place AS
SELECT session_id, (row_number() OVER (ORDER BY first) - 1) / count(*) OVER () AS place
FROM (SELECT session_id, min(line) AS first FROM step GROUP BY 1);
SELECT session_id || ':' || i AS step_id, session_id,
       lead(state) OVER s AS next_state, state, coalesce(lag(state, 1) OVER s, 'PAD') AS prev1, coalesce(lag(state, 2) OVER s, 'PAD') AS prev2,
       prev1 || '>' || state AS pair, prev2 || '>' || prev1 || '>' || state AS triple,
       string_agg(state, ' ') OVER (PARTITION BY session_id ORDER BY i ROWS UNBOUNDED PRECEDING) AS path,
       i AS step, ln(1 + coalesce(epoch(moment) - epoch(lag(moment) OVER s), 0)) AS log_elapsed,
       ln(1 + epoch(moment) - epoch(first_value(moment) OVER s)) AS log_since_start,
       hour(moment) AS hour, isodow(moment) AS weekday,
       CASE WHEN place >= 2/3 THEN CASE WHEN i >= 2 THEN 'test' ELSE 'left out' END
            WHEN place >= 0.58 THEN 'valid' ELSE 'train' END AS side
FROM step JOIN place USING (session_id)
WINDOW s AS (PARTITION BY session_id ORDER BY i)
QUALIFY i < n AND side <> 'left out'
