-- Does a session end in a logout (completed = 1), or is it dropped (0)? Told by its first $k events.
-- A session leaks where a terminal state is among these; $policy says what becomes of it: drop | truncate | mask | mask_pad.
CREATE TEMP MACRO state(path) AS
    coalesce(nullif(regexp_replace(split_part(lower(trim(path)), '?', 1), '/+$', ''), ''), '/');
CREATE TEMP MACRO is_terminal(s) AS s IN ('/logout', '/delete_user');

-- Rows without a session or a time are left out. Differences are to the event before; the first one's is its value.
CREATE TEMP TABLE event AS
SELECT session_id, i, moment, cur, nxt, page_depth, is_terminal(cur) OR is_terminal(nxt) AS terminal,
       greatest(0, coalesce(epoch(moment) - epoch(lag(moment) OVER session), 0)) AS gap,
       greatest(0, page_depth - coalesce(lag(page_depth) OVER session, 0)) AS delta_depth,
       greatest(0, search_count - coalesce(lag(search_count) OVER session, 0)) AS delta_search,
       greatest(0, cart_item_count - coalesce(lag(cart_item_count) OVER session, 0)) AS delta_cart
FROM (SELECT session_id, "timestamp"::TIMESTAMP AS moment, state(current_state) AS cur, state(next_state) AS nxt,
             coalesce(page_depth, 0) AS page_depth, coalesce(search_count, 0) AS search_count,
             coalesce(cart_item_count, 0) AS cart_item_count,
             row_number() OVER (PARTITION BY session_id ORDER BY "timestamp", page_depth, search_count, cart_item_count, current_state) AS i
      FROM events WHERE session_id IS NOT NULL AND "timestamp" IS NOT NULL)
WINDOW session AS (PARTITION BY session_id ORDER BY i);

CREATE TEMP TABLE facts AS
SELECT 'events without a session or a time' AS name, count(*) AS value
FROM events WHERE session_id IS NULL OR "timestamp" IS NULL;

-- Four fifths of the sessions learn (an eighth of them stops the training), a fifth judges; stratified, by a hash.
CREATE TEMP TABLE session AS
SELECT session_id, completed,
       CASE WHEN place <= 0.2 THEN 'test' WHEN place <= 0.3 THEN 'valid' ELSE 'train' END AS split
FROM (SELECT session_id, completed, cume_dist() OVER (PARTITION BY completed ORDER BY hash(session_id || ':' || $seed)) AS place
      FROM (SELECT session_id::VARCHAR AS session_id, max(terminal)::INT AS completed FROM event GROUP BY ALL));

-- The first $k events. Masked ones lose their states, differences and gap, and keep the depth and time of the event
-- before; padding does the same with events that never were.
CREATE TEMP TABLE early AS
SELECT session_id::VARCHAR AS session_id, i,
       min(CASE WHEN terminal THEN i END) OVER (PARTITION BY session_id) AS first_terminal,
       terminal, moment, cur, nxt, page_depth, gap, delta_depth, delta_search, delta_cart
FROM event WHERE i <= $k;

CREATE TEMP TABLE seen AS
SELECT s.session_id, n.i,
       CASE WHEN e.i IS NULL OR hidden THEN '' ELSE e.cur END AS cur,
       CASE WHEN e.i IS NULL OR hidden THEN '' ELSE e.nxt END AS nxt,
       coalesce(last_value(CASE WHEN NOT hidden THEN e.moment END IGNORE NULLS) OVER past, first_value(e.moment) OVER past) AS moment,
       coalesce(last_value(CASE WHEN NOT hidden THEN e.page_depth END IGNORE NULLS) OVER past, 0) AS page_depth,
       CASE WHEN hidden THEN 0 ELSE coalesce(e.gap, 0) END AS gap,
       CASE WHEN hidden THEN 0 ELSE coalesce(e.delta_search, 0) END AS delta_search,
       CASE WHEN hidden THEN 0 ELSE coalesce(e.delta_cart, 0) END AS delta_cart
FROM session s
CROSS JOIN range(1, $k + 1) n(i)
LEFT JOIN (SELECT *, terminal AND $policy IN ('mask', 'mask_pad') AS hidden FROM early) e
       ON e.session_id = s.session_id AND e.i = n.i
WHERE (e.i IS NOT NULL OR $policy = 'mask_pad')
  AND NOT ($policy = 'truncate' AND e.i >= coalesce(e.first_terminal, $k + 1))
  AND NOT ($policy = 'drop' AND s.session_id IN (SELECT session_id FROM early WHERE terminal))
WINDOW past AS (PARTITION BY s.session_id ORDER BY n.i);

CREATE TEMP TABLE pair AS
SELECT session_id, cur || '>' || nxt AS bigram, count(*) AS n
FROM seen WHERE cur <> '' AND nxt <> '' GROUP BY ALL;

CREATE TEMP TABLE common AS  -- on training sessions
SELECT bigram FROM pair JOIN session USING (session_id) WHERE split = 'train'
GROUP BY bigram ORDER BY sum(n) DESC, bigram LIMIT 50;

CREATE TEMP TABLE measure AS
SELECT session_id,
       count(*)::DOUBLE AS n_events,
       epoch(max(moment)) - epoch(min(moment)) AS session_duration_sec,
       count(*) / greatest((epoch(max(moment)) - epoch(min(moment))) / 60, 1 / 60) AS events_per_min,
       avg(gap) AS gap_mean, coalesce(stddev_samp(gap), 0) AS gap_sd, quantile_cont(gap, 0.95) AS gap_p95,
       max(page_depth)::DOUBLE AS page_depth_max, coalesce(regr_slope(page_depth, i), 0) AS page_depth_slope,
       sum(CASE WHEN page_depth < before THEN 1 ELSE 0 END)::DOUBLE AS depth_backtracks,
       sum(delta_search)::DOUBLE AS search_delta_sum, sum(delta_search) / count(*) AS search_rate,
       sum(delta_cart)::DOUBLE AS cart_adds, count(*) FILTER (delta_cart > 0)::DOUBLE AS cart_touch_count,
       sum(delta_cart) / count(*) AS cart_adds_per_event,
       (sum(delta_search) + 1) / (sum(delta_cart) + 1) AS search_to_cart_ratio,
       hour(min(moment))::DOUBLE AS first_event_hour, (isodow(min(moment)) >= 6)::DOUBLE AS is_weekend,
       coalesce(epoch(min(moment) FILTER (delta_search > 0)) - epoch(min(moment)), -1) AS time_to_first_search,
       coalesce(epoch(min(moment) FILTER (delta_cart > 0)) - epoch(min(moment)), -1) AS time_to_first_cart,
       bool_or(last_five AND (cur LIKE '%search%' OR nxt LIKE '%search%'))::DOUBLE AS last5_has_search,
       bool_or(last_five AND (cur LIKE '%cart%' OR nxt LIKE '%cart%'))::DOUBLE AS last5_has_cart,
       bool_or(last_five AND (cur LIKE '%checkout%' OR nxt LIKE '%checkout%'))::DOUBLE AS last5_has_checkout,
       count(DISTINCT nullif(cur, ''))::DOUBLE AS n_states, coalesce(entropy(nullif(cur, '')), 0) AS state_entropy
FROM (SELECT *, lag(page_depth) OVER session AS before,
             i > max(i) OVER (PARTITION BY session_id) - 5 AS last_five
      FROM seen WINDOW session AS (PARTITION BY session_id ORDER BY i))
GROUP BY session_id;

SELECT session_id, feature, value, completed, split
FROM (UNPIVOT measure ON COLUMNS(* EXCLUDE session_id) INTO NAME feature VALUE value
      UNION ALL
      SELECT session_id, 'pair ' || replace(bigram, '>', ' to ') AS feature, n::DOUBLE FROM pair WHERE bigram IN (FROM common))
JOIN session USING (session_id)
WHERE NOT regexp_matches(feature, 'logout|delete')  -- named after what is to be told
