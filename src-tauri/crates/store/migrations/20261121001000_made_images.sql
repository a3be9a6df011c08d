-- The images that builds of this data folder made, whatever became of the build's record: ids of builds count from 1 in every
-- data folder, so the label of an image alone does not say whose it is. What a person uploaded was made elsewhere.
CREATE TABLE made_images (
    image_id TEXT PRIMARY KEY NOT NULL,
    -- Without a foreign key on purpose: it says how old the image is, also after the record is gone.
    build_id INTEGER NOT NULL,
    made_at  INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO made_images (image_id, build_id, made_at)
    SELECT image_id, MAX(id), MAX(COALESCE(started_at, created_at)) FROM builds
    WHERE image_id IS NOT NULL AND COALESCE(json_extract(inputs, '$.upload.kind'), 'dockerfile') = 'dockerfile'
    GROUP BY image_id;

CREATE TRIGGER made_images_of_build AFTER UPDATE OF image_id ON builds
WHEN new.image_id IS NOT NULL AND COALESCE(json_extract(new.inputs, '$.upload.kind'), 'dockerfile') = 'dockerfile'
BEGIN
    INSERT INTO made_images (image_id, build_id, made_at)
        VALUES (new.image_id, new.id, COALESCE(new.started_at, new.created_at))
        ON CONFLICT (image_id) DO UPDATE SET build_id = excluded.build_id, made_at = excluded.made_at;
END;

-- Under which names an image was published.
CREATE INDEX tag_moves_image ON tag_moves (image_id) WHERE image_id IS NOT NULL;
