//! Reading columns into the model's types and writing them back.

use crate::StoreError;
use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

/// Returns a time as it stands in the database: unix milliseconds.
pub(crate) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// Returns a value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

/// Returns an optional value as JSON text.
pub(crate) fn json_of<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(json).transpose()
}

/// Returns the text of a value whose JSON is one string: an enum without fields, or a checked text.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(text) => Ok(text),
        other => Err(StoreError::BadValue(serde::de::Error::custom(format!("{other} is no text")))),
    }
}

/// Returns the text of an optional value, see [`word`].
pub(crate) fn word_of<T: Serialize>(value: Option<&T>) -> Result<Option<String>, StoreError> {
    value.map(word).transpose()
}

/// Typed access to a row's columns.
pub(crate) trait Columns {
    fn int(&self, column: &'static str) -> Result<i64, StoreError>;
    fn int_of(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn text(&self, column: &'static str) -> Result<String, StoreError>;
    fn text_of(&self, column: &'static str) -> Result<Option<String>, StoreError>;

    fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        Ok(self.int(column)? != 0)
    }

    fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.int(column)?).map_err(|e| StoreError::BadRow { column, why: e.to_string() })
    }

    fn small(&self, column: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.int(column)?).map_err(|e| StoreError::BadRow { column, why: e.to_string() })
    }

    fn small_of(&self, column: &'static str) -> Result<Option<u32>, StoreError> {
        self.int_of(column)?
            .map(u32::try_from)
            .transpose()
            .map_err(|e| StoreError::BadRow { column, why: e.to_string() })
    }

    fn time(&self, column: &'static str) -> Result<DateTime<Utc>, StoreError> {
        time_from(column, self.int(column)?)
    }

    fn time_of(&self, column: &'static str) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.int_of(column)?.map(|value| time_from(column, value)).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        json_from(column, &self.text(column)?)
    }

    fn json_of<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.text_of(column)?.map(|text| json_from(column, &text)).transpose()
    }

    fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        word_from(column, &self.text(column)?)
    }

    fn word_of<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.text_of(column)?.map(|text| word_from(column, &text)).transpose()
    }
}

impl Columns for SqliteRow {
    fn int(&self, column: &'static str) -> Result<i64, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn int_of(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &'static str) -> Result<String, StoreError> {
        Ok(self.try_get(column)?)
    }

    fn text_of(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(self.try_get(column)?)
    }
}

fn time_from(column: &'static str, value: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_millis(value)
        .ok_or_else(|| StoreError::BadRow { column, why: format!("{value} is no time") })
}

fn json_from<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::BadRow { column, why: e.to_string() })
}

fn word_from<T: for<'de> Deserialize<'de>>(column: &'static str, text: &str) -> Result<T, StoreError> {
    T::deserialize(text.into_deserializer())
        .map_err(|e: serde::de::value::Error| StoreError::BadRow { column, why: e.to_string() })
}
