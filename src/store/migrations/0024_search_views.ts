import { type Kysely, sql } from 'kysely';

/** Never edited once released: a change of the schema is a new migration. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The index that the view of an alias reads: another one than the alias points to while readers hold the view up.
  await sql`
    create table reembed.search_views (
      alias     text primary key,
      view_name text not null unique,
      index_no  int not null
    )`.execute(db);

  // The three functions do as textOf of src/pipeline/text-of.ts does, and cut a part from the text.
  // Keys are in the order of their UTF-16 code units, where those from U+E000 on are after those beyond U+FFFF.
  await sql`
    create function reembed.payload_text(value jsonb) returns text
    language plpgsql immutable parallel safe as $$
    begin
      return case jsonb_typeof(value)
        when 'string' then value #>> '{}'
        when 'array' then (
          select string_agg(reembed.payload_text(element), E'\\n' order by place)
          from jsonb_array_elements(value) with ordinality as elements (element, place)
        )
        when 'object' then (
          select string_agg(
            reembed.payload_text(field),
            E'\\n' order by regexp_replace(key, '([\\uE000-\\uFFFF])', chr(1114111) || '\\1', 'g') collate "C"
          )
          from jsonb_each(value) as fields (key, field)
        )
      end;
    end
    $$`.execute(db);
  await sql`
    create function reembed.payload_text_at(value jsonb, path text) returns text
    language plpgsql immutable parallel safe as $$
    declare
      kind text := jsonb_typeof(value);
      dot int := position('.' in path);
      head text := case when dot = 0 then path else left(path, dot - 1) end;
    begin
      if kind = 'object' and value ? path then return reembed.payload_text(value -> path); end if;
      if kind = 'array' and path ~ '^(0|[1-9][0-9]{0,8})$' and path::int < jsonb_array_length(value) then
        return reembed.payload_text(value -> path::int);
      end if;
      if kind = 'array' and head !~ '^[0-9]+$' then
        return (
          select string_agg(reembed.payload_text_at(element, path), E'\\n' order by place)
          from jsonb_array_elements(value) with ordinality as elements (element, place)
        );
      end if;
      if dot = 0 then return null; end if;
      if kind = 'object' then return reembed.payload_text_at(value -> head, substr(path, dot + 1)); end if;
      if kind = 'array' and head ~ '^(0|[1-9][0-9]{0,8})$' then
        return reembed.payload_text_at(value -> head::int, substr(path, dot + 1));
      end if;
      return null;
    end
    $$`.execute(db);
  // A range counts UTF-16 code units, of which a character beyond U+FFFF has two: such characters get a second one.
  await sql`
    create function reembed.part_text(payload jsonb, fields text[], range int4range) returns text
    language plpgsql immutable parallel safe as $$
    declare
      whole text;
    begin
      if range is null then return null; end if;
      if isempty(range) then return ''; end if;
      if jsonb_typeof(payload) = 'string' then whole := payload #>> '{}';
      elsif fields is null then whole := reembed.payload_text(payload);
      else
        whole := (
          select string_agg(reembed.payload_text_at(payload, path), E'\\n' order by place)
          from unnest(fields) with ordinality as paths (path, place)
        );
      end if;
      whole := left(whole, upper(range));
      if whole !~ '[\\U00010000-\\U0010ffff]' then
        return substr(whole, lower(range) + 1, upper(range) - lower(range));
      end if;
      whole := regexp_replace(whole, '([\\U00010000-\\U0010ffff])', '\\1' || chr(1), 'g');
      whole := substr(whole, lower(range) + 1, upper(range) - lower(range));
      return regexp_replace(whole, '([\\U00010000-\\U0010ffff])' || chr(1), '\\1', 'g');
    end
    $$`.execute(db);
}
