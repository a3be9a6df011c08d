-- Versions and uploads.

-- The tag or digest that a person copied a tag from; such a move has no build.
ALTER TABLE tag_moves ADD COLUMN copied_from TEXT;
CREATE INDEX tag_moves_digest ON tag_moves (repository_id, digest) WHERE digest IS NOT NULL;

-- The folder that keeps what was uploaded for a build. Builds that repeat it name the same one; it goes with the last.
ALTER TABLE builds ADD COLUMN upload_folder TEXT GENERATED ALWAYS AS (json_extract(inputs, '$.upload.folder')) VIRTUAL;
CREATE INDEX builds_upload_folder ON builds (upload_folder) WHERE upload_folder IS NOT NULL;
