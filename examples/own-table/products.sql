-- The table of the shop, as it was before anybody thought of searches.
create table products (
  id bigint generated always as identity primary key,
  name text not null,
  about text not null,
  price numeric(10, 2) not null,
  stock int not null default 0
);

insert into products (name, about, price, stock) values
  ('Tent', 'A tent for two people, for camping in summer and autumn', 189, 4),
  ('Sleeping bag', 'A warm sleeping bag for camping in a tent, down to five degrees', 99, 12),
  ('Camping stove', 'A small gas stove for cooking beside the tent', 39.5, 7),
  ('Bread knife', 'A long knife with a serrated blade for fresh bread', 24.9, 30),
  ('Toaster', 'Toasts two slices of bread, with a rack for rolls', 45, 9),
  ('Desk lamp', 'A lamp with a warm light for reading at a desk', 59, 3);
