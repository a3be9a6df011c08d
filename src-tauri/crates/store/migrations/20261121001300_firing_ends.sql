-- In which order firings ended: the clock may jump.
ALTER TABLE firings ADD COLUMN end_order INTEGER;
UPDATE firings SET end_order = (
    SELECT COUNT(*) FROM firings AS other
    WHERE other.ended_at < firings.ended_at OR (other.ended_at = firings.ended_at AND other.id <= firings.id)
) WHERE ended_at IS NOT NULL;
CREATE INDEX firings_end_order ON firings (end_order);
CREATE TRIGGER firings_ends AFTER UPDATE OF ended_at ON firings WHEN new.ended_at IS NOT NULL BEGIN
    UPDATE firings SET end_order = (SELECT COALESCE(MAX(end_order), 0) + 1 FROM firings) WHERE id = new.id;
END;
