-- One line for each user and thing done, in the days and the service that are asked for; the accounts and the label
-- are things too. Written long: nothing is pivoted, and nothing that did not happen is ever stored.
SELECT user_id, log_id || '_' || feature_id AS feature, sum(count)::DOUBLE AS value
FROM logs
WHERE service = $service
  AND date BETWEEN $first_day AND $last_day
  AND (len($feature_ids) = 0 OR list_contains($feature_ids, log_id || '_' || feature_id))
GROUP BY ALL
UNION ALL
SELECT user_id, feature, value
FROM (UNPIVOT (SELECT user_id, COLUMNS(* EXCLUDE user_id)::DOUBLE FROM accounts) ON COLUMNS(* EXCLUDE user_id) INTO NAME feature VALUE value)
UNION ALL
SELECT user_id, 'clicked', clicked::DOUBLE FROM labels
