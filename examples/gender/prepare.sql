-- Who is in the session, told by what happens before somebody logs in. A row for each session with at least two events
-- before its first one with a user; the label is the first gender that the session shows.
CREATE TEMP MACRO is_anonymous(u) AS u IS NULL OR lower(trim(u::VARCHAR)) IN ('', '0', '-1', 'none', 'null', 'nan');
CREATE TEMP MACRO word(k) AS nfc_normalize(lower(trim(translate(k, '　', ' '))));

CREATE TEMP TABLE event AS
SELECT session_id, "timestamp"::TIMESTAMP AS moment, is_anonymous(user_id) AS anonymous, gender, age,
       coalesce(p.category, w.category) AS category,  -- the product's category wins
       coalesce(page_depth, 0) AS page_depth, coalesce(search_count, 0) AS search_count,
       coalesce(cart_item_count, 0) AS cart_item_count, current_state,
       row_number() OVER (PARTITION BY session_id ORDER BY "timestamp", page_depth, search_count, cart_item_count, current_state) AS i
FROM events e
LEFT JOIN products p ON p.product_id = e.product_id
LEFT JOIN (SELECT word(keyword) AS keyword, min(category) AS category FROM keywords GROUP BY 1) w ON w.keyword = word(e.search_keyword)
WHERE session_id IS NOT NULL AND "timestamp" IS NOT NULL;

CREATE TEMP TABLE label AS
SELECT session_id,
       arg_min(CASE upper(trim(gender)) WHEN 'MALE' THEN 'M' WHEN 'FEMALE' THEN 'F' ELSE upper(trim(gender)) END, i)
           FILTER (upper(trim(gender)) IN ('M', 'F', 'MALE', 'FEMALE')) AS gender,
       arg_min(age, i) FILTER (age IS NOT NULL) AS age,
       coalesce(min(i) FILTER (NOT anonymous), 2147483647) AS first_login
FROM event GROUP BY session_id;

CREATE TEMP TABLE before AS
SELECT e.*, l.gender AS label, l.age AS of_age,
       coalesce(epoch(moment) - epoch(lag(moment) OVER (PARTITION BY session_id ORDER BY i)), 0) AS elapsed
FROM event e JOIN label l USING (session_id)
WHERE i < first_login AND l.gender IS NOT NULL;

SELECT session_id, (label = 'M')::INT AS is_male,
       CASE WHEN any_value(of_age) < 25 THEN 'young' WHEN any_value(of_age) < 50 THEN 'middle' ELSE 'old' END AS age_group,
       count(*) AS n_events,
       sum(search_count) AS search_count_sum, sum(cart_item_count) AS cart_item_count_sum,
       avg(page_depth) AS page_depth_mean, avg(elapsed) AS last_elapsed_mean,
       count(DISTINCT current_state) AS unique_pages, count(DISTINCT category) AS unique_categories,
       hour(min(moment)) AS start_hour, isodow(min(moment)) AS start_weekday,
       count(*) FILTER (category = 'Books') AS n_books, n_books / n_events AS share_books, ln(1 + n_books) AS log_books,
       count(*) FILTER (category = 'Electronics') AS n_electronics, n_electronics / n_events AS share_electronics, ln(1 + n_electronics) AS log_electronics,
       count(*) FILTER (category = 'Gaming') AS n_gaming, n_gaming / n_events AS share_gaming, ln(1 + n_gaming) AS log_gaming,
       count(*) FILTER (category = 'Home') AS n_home, n_home / n_events AS share_home, ln(1 + n_home) AS log_home,
       count(*) FILTER (category = 'Fashion') AS n_fashion, n_fashion / n_events AS share_fashion, ln(1 + n_fashion) AS log_fashion
FROM before
GROUP BY session_id, label
HAVING count(*) >= 2
