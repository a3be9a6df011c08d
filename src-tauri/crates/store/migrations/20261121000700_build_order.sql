-- The lists of builds sorted by how long a build took, and by the time that is shown. As with the other lists, everything that
-- can be filtered is in the index; SQLite takes no index with a generated column for a covering one, so triggers keep these
-- two. States, repositories and rules are walked one by one through the indexes that exist.
ALTER TABLE builds ADD COLUMN took INTEGER;
ALTER TABLE builds ADD COLUMN shown_at INTEGER;
UPDATE builds SET took = ended_at - started_at, shown_at = COALESCE(ended_at, created_at);
CREATE TRIGGER builds_times_of_new AFTER INSERT ON builds BEGIN
    UPDATE builds SET took = ended_at - started_at, shown_at = COALESCE(ended_at, created_at) WHERE id = new.id;
END;
CREATE TRIGGER builds_times AFTER UPDATE OF created_at, started_at, ended_at ON builds BEGIN
    UPDATE builds SET took = ended_at - started_at, shown_at = COALESCE(ended_at, created_at) WHERE id = new.id;
END;
CREATE INDEX builds_took ON builds (took, id, state, kind, repository_id, rule_id, ref_name);
CREATE INDEX builds_shown_at ON builds (shown_at, id, state, kind, repository_id, rule_id, ref_name);
