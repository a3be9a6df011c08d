-- The list of one kind of builds: a kind that is rare was looked for in every row of the list's index. As with the other
-- lists, everything that can be filtered is in the index.
CREATE INDEX builds_kind ON builds (kind, id, state, repository_id, rule_id, ref_name);
