-- What a list of orders calls an order by: the name of its first line's product, as it was then. Older orders have none.
ALTER TABLE orders ADD COLUMN first_product VARCHAR(200) NOT NULL DEFAULT '';
