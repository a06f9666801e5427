-- How much does a user want a product? A row for each event, weighed by what the user did. Users and products with fewer
-- than five events are left out. The last event of each user judges, and its pair of user and product trains nothing; of
-- the rest one row in ten, by a hash, stops the training.
CREATE TEMP TABLE weighed AS
SELECT user_id::VARCHAR AS user_id, product_id::VARCHAR AS product_id, category_id::VARCHAR AS category_id, brand,
       event_time::TIMESTAMP AS moment,
       CASE event_type WHEN 'purchase' THEN 4 WHEN 'cart' THEN 3 WHEN 'remove_from_cart' THEN 2 WHEN 'view' THEN 1 END AS weight
FROM events WHERE user_id IS NOT NULL AND product_id IS NOT NULL;

CREATE TEMP TABLE frequent AS
SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY moment DESC, product_id, weight) = 1 AS is_last,
       row_number() OVER (ORDER BY user_id, moment, product_id, weight) AS event_id
FROM weighed
WHERE weight IS NOT NULL
  AND user_id IN (SELECT user_id FROM weighed GROUP BY 1 HAVING count(*) >= 5)
  AND product_id IN (SELECT product_id FROM weighed GROUP BY 1 HAVING count(*) >= 5);

CREATE TEMP TABLE facts AS
SELECT 'events of rare users and products' AS name, (SELECT count(*) FROM weighed) - (SELECT count(*) FROM frequent) AS value;

SELECT event_id, user_id, product_id, category_id, brand, weight,
       CASE WHEN is_last THEN 'test' WHEN hash(event_id) % 10 = 0 THEN 'valid' ELSE 'train' END AS split
FROM frequent f
WHERE is_last OR NOT EXISTS (
    SELECT 1 FROM frequent l WHERE l.is_last AND l.user_id = f.user_id AND l.product_id = f.product_id)
