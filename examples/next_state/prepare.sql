-- What comes next in a session? A row for each step that has a next one; sessions of one event are left out. The path
-- holds all states so far, the oldest first; prev1 and prev2 are PAD where there is none yet.
CREATE TEMP TABLE step AS
SELECT session_id, i, n, state,
       lead(state) OVER session AS next_state,
       coalesce(lag(state, 1) OVER session, 'PAD') AS prev1,
       coalesce(lag(state, 2) OVER session, 'PAD') AS prev2,
       string_agg(state, ' ') OVER (PARTITION BY session_id ORDER BY i ROWS UNBOUNDED PRECEDING) AS path,
       coalesce(epoch(moment) - epoch(lag(moment) OVER session), 0) AS last_action_elapsed,
       page_depth, search_count, cart_item_count
FROM (SELECT session_id::VARCHAR AS session_id, "timestamp"::TIMESTAMP AS moment,
             replace(lower(trim(current_state)), ' ', '_') AS state,
             coalesce(page_depth, 0) AS page_depth, coalesce(search_count, 0) AS search_count,
             coalesce(cart_item_count, 0) AS cart_item_count,
             row_number() OVER (PARTITION BY session_id ORDER BY "timestamp", page_depth, search_count, cart_item_count, current_state) AS i,
             count(*) OVER (PARTITION BY session_id) AS n
      FROM events WHERE session_id IS NOT NULL AND "timestamp" IS NOT NULL)
WINDOW session AS (PARTITION BY session_id ORDER BY i);

SELECT session_id || ':' || i AS step_id, session_id, next_state, state, prev1, prev2, prev2 || '>' || prev1 AS pair, path,
       i AS step, last_action_elapsed, page_depth, search_count, cart_item_count
FROM step WHERE i < n AND n >= $least_events
