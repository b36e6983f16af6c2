-- Names of products have up to 255 characters. A column is made anew, since engines disagree about how one is widened.
ALTER TABLE orders ADD COLUMN first_product_255 VARCHAR(255) NOT NULL DEFAULT '';
UPDATE orders SET first_product_255 = first_product;
ALTER TABLE orders DROP COLUMN first_product;
ALTER TABLE orders RENAME COLUMN first_product_255 TO first_product;
