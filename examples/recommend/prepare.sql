-- How much does a user want a product? A row for each pair of user and product: the strongest thing the user did. Users and
-- products with fewer than five events are left out. The last event of each user judges, and its pair trains nothing.
-- $others products that the user has no event with stand beside each pair, drawn by a hash, with weight 0: from what users did
-- alone nobody learns what they do not want. One pair in ten, by a hash, stops the training.
CREATE TEMP TABLE weighed AS
SELECT user_id::VARCHAR AS user_id, product_id::VARCHAR AS product_id, category_id::VARCHAR AS category_id, brand,
       event_time::TIMESTAMP AS moment,
       CASE event_type WHEN 'purchase' THEN 4 WHEN 'cart' THEN 3 WHEN 'remove_from_cart' THEN 2 WHEN 'view' THEN 1 END AS weight
FROM events WHERE user_id IS NOT NULL AND product_id IS NOT NULL;

CREATE TEMP TABLE frequent AS
SELECT user_id, product_id, category_id, brand, weight,
       row_number() OVER (PARTITION BY user_id ORDER BY moment DESC, hash(user_id, product_id), weight DESC) = 1 AS is_last
FROM weighed
WHERE weight IS NOT NULL
  AND user_id IN (SELECT user_id FROM weighed GROUP BY 1 HAVING count(*) >= 5)
  AND product_id IN (SELECT product_id FROM weighed GROUP BY 1 HAVING count(*) >= 5);

CREATE TEMP TABLE facts AS
SELECT 'events of rare users and products' AS name, (SELECT count(*) FROM weighed) - (SELECT count(*) FROM frequent) AS value;

CREATE TEMP TABLE wanted AS
SELECT user_id, product_id, weight, 'test' AS split FROM frequent WHERE is_last
UNION ALL
SELECT user_id, product_id, max(weight), CASE WHEN hash(user_id, product_id) % 10 = 0 THEN 'valid' ELSE 'train' END
FROM frequent f
WHERE NOT EXISTS (SELECT 1 FROM frequent l WHERE l.is_last AND l.user_id = f.user_id AND l.product_id = f.product_id)
GROUP BY 1, 2;

CREATE TEMP TABLE product AS
SELECT product_id, mode(category_id) AS category_id, mode(brand) AS brand, row_number() OVER (ORDER BY product_id) - 1 AS number
FROM frequent GROUP BY 1;

CREATE TEMP TABLE others AS
SELECT w.user_id, p.product_id, 0 AS weight, min(split) AS split
FROM wanted w, range($others) AS draw(k), product p
WHERE p.number = hash(w.user_id, w.product_id, k) % (SELECT count(*) FROM product)
  AND NOT EXISTS (SELECT 1 FROM wanted h WHERE h.user_id = w.user_id AND h.product_id = p.product_id)
GROUP BY 1, 2;

SELECT row_number() OVER (ORDER BY user_id, product_id) AS pair_id, user_id, product_id, category_id, brand, weight, split
FROM (FROM wanted UNION ALL FROM others) JOIN product USING (product_id)
