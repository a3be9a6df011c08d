//! `made_images`: which images of an engine builds of this data folder made, and where they were published.

use crate::row::Columns;
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::{ImageId, Tag};
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};

/// How many ids stand in one statement.
const AT_ONCE: usize = 500;

/// An image that a build of this data folder made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeImageRecord {
    /// The build; its record may be gone.
    pub build: BuildId,
    /// When that build began.
    pub made_at: DateTime<Utc>,
}

impl Store {
    /// Returns which of these images builds of this data folder made.
    ///
    /// # Errors
    /// As every read.
    pub async fn made_images(&self, images: &[&ImageId]) -> Result<HashMap<ImageId, MadeImageRecord>, StoreError> {
        let mut found = HashMap::new();
        for some in images.chunks(AT_ONCE) {
            let mut query = QueryBuilder::new("SELECT * FROM made_images WHERE image_id IN (");
            push_ids(&mut query, some);
            for row in query.build().fetch_all(self.read()).await? {
                let record = MadeImageRecord { build: BuildId(row.int("build_id")?), made_at: row.time("made_at")? };
                found.insert(ImageId(row.text("image_id")?), record);
            }
        }
        Ok(found)
    }

    /// Returns under which tags these images were published, as seen at the registry.
    ///
    /// # Errors
    /// As every read.
    pub async fn published_as(
        &self,
        images: &[&ImageId],
    ) -> Result<HashMap<ImageId, HashSet<(ImageRepositoryId, Tag)>>, StoreError> {
        let mut found: HashMap<ImageId, HashSet<(ImageRepositoryId, Tag)>> = HashMap::new();
        for some in images.chunks(AT_ONCE) {
            let mut query = QueryBuilder::new("SELECT image_id, repository_id, tag FROM tag_moves WHERE image_id IN (");
            push_ids(&mut query, some);
            for row in query.build().fetch_all(self.read()).await? {
                let name = (ImageRepositoryId(row.int("repository_id")?), row.word("tag")?);
                found.entry(ImageId(row.text("image_id")?)).or_default().insert(name);
            }
        }
        Ok(found)
    }

    /// Forgets an image that is gone from the engine.
    ///
    /// # Errors
    /// As every write.
    pub async fn forget_made_image(&self, image: &ImageId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM made_images WHERE image_id = ?").bind(&image.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

fn push_ids(query: &mut QueryBuilder<sqlx::Sqlite>, images: &[&ImageId]) {
    let mut list = query.separated(", ");
    for image in images {
        list.push_bind(image.0.clone());
    }
    query.push(")");
}
