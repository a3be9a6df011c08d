//! Figures: how they are taken from runs, the table that people read, and the file that other programs read.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// A row of the performance table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) work: &'static str,
    pub(crate) unit: &'static str,
    /// The greatest value that is good enough.
    pub(crate) bar: f64,
}

/// What was measured for one row.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    /// Median of our side in milliseconds, where the figure is a time.
    pub(crate) ours_ms: Option<f64>,
    /// Median of the other side in milliseconds, where there is one.
    pub(crate) peer_ms: Option<f64>,
    pub(crate) runs: usize,
    /// What a reader should know about this run.
    pub(crate) note: String,
}

/// A row with what became of it; `Err` says why there is no value.
pub(crate) type Taken = (Row, Result<Figure, String>);

/// Times of both sides, taken in turns within one run.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) ours: Vec<f64>,
    pub(crate) peer: Vec<f64>,
}

impl Turns {
    /// Returns the ratio of the medians: below 1 we are faster.
    pub(crate) fn ratio(&self) -> Figure {
        let (ours, peer) = (median(&self.ours), median(&self.peer));
        self.figure(ours / peer)
    }

    /// Returns by how many milliseconds our median is greater.
    pub(crate) fn excess(&self) -> Figure {
        let (ours, peer) = (median(&self.ours), median(&self.peer));
        self.figure(ours - peer)
    }

    fn figure(&self, value: f64) -> Figure {
        let (ours, peer) = (spread(&self.ours), spread(&self.peer));
        Figure {
            value,
            ours_ms: Some(median(&self.ours)),
            peer_ms: Some(median(&self.peer)),
            runs: self.ours.len(),
            note: format!("ours {ours}, peer {peer}"),
        }
    }
}

/// Returns a duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Returns the middle of the values, between the two middle ones of an even number.
pub(crate) fn median(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Returns the value that 95 of 100 do not exceed (nearest rank).
pub(crate) fn percentile_95(values: &[f64]) -> f64 {
    let sorted = sorted(values);
    sorted[(sorted.len() * 95).div_ceil(100) - 1]
}

fn sorted(values: &[f64]) -> Vec<f64> {
    assert!(!values.is_empty(), "there is at least one run");
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

fn spread(values: &[f64]) -> String {
    let sorted = sorted(values);
    format!("{:.0}–{:.0} ms", sorted[0], sorted[sorted.len() - 1])
}

/// Returns the table in Markdown.
pub(crate) fn table(taken: &[Taken]) -> String {
    let mut text =
        String::from("| id | value | bar | | ours | peer | runs | work |\n|---|---|---|---|---|---|---|---|\n");
    for (row, result) in taken {
        let bar = number(row.bar);
        let (id, unit, work) = (row.id, row.unit, row.work);
        let written = match result {
            Ok(figure) => {
                let verdict = if figure.value <= row.bar { "met" } else { "**missed**" };
                let time = |time: Option<f64>| time.map_or_else(String::new, |time| format!("{time:.1} ms"));
                let (value, runs, note) = (number(figure.value), figure.runs, &figure.note);
                let (ours, peer) = (time(figure.ours_ms), time(figure.peer_ms));
                writeln!(
                    text,
                    "| {id} | {value} {unit} | {bar} | {verdict} | {ours} | {peer} | {runs} | {work} ({note}) |"
                )
            }
            Err(why) => writeln!(text, "| {id} | – | {bar} {unit} | | | | | {work} ({why}) |"),
        };
        written.expect("text can be appended to a string");
    }
    text
}

/// Writes `latest.json`: one object by id, in the order of the table.
pub(crate) fn write_json(path: &Path, taken: &[Taken]) -> std::io::Result<()> {
    let mut all = Map::new();
    for (row, result) in taken {
        let value = match result {
            Ok(figure) => json!({
                "value": rounded(figure.value),
                "bar": row.bar,
                "unit": row.unit,
                "ours_ms": figure.ours_ms.map(rounded),
                "peer_ms": figure.peer_ms.map(rounded),
                "runs": figure.runs,
            }),
            Err(why) => json!({ "value": null, "bar": row.bar, "unit": row.unit, "why": why }),
        };
        all.insert(row.id.to_owned(), value);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::to_string_pretty(&Value::Object(all)).map_err(std::io::Error::other)?;
    text.push('\n');
    std::fs::write(path, text)
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        let cases: [(&[f64], f64, f64); 4] = [
            (&[3.0], 3.0, 3.0),
            (&[4.0, 1.0], 2.5, 4.0),
            (&[5.0, 1.0, 3.0], 3.0, 5.0),
            (&[10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], 5.5, 10.0),
        ];
        for (values, middle, high) in cases {
            assert_eq!((median(values), percentile_95(values)), (middle, high), "{values:?}");
        }
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile_95(&hundred), 95.0);
    }

    #[test]
    fn a_ratio_and_an_excess_compare_medians() {
        let turns = Turns { ours: vec![100.0, 50.0, 60.0], peer: vec![300.0, 200.0, 100.0] };
        assert_eq!((turns.ratio().value, turns.excess().value), (0.3, -140.0));
    }

    #[test]
    fn the_table_says_whether_a_bar_is_met() {
        let row = Row { id: "B1", work: "work", unit: "ratio", bar: 0.35 };
        let figure = Figure { value: 0.5, ours_ms: Some(1.0), peer_ms: None, runs: 5, note: "n".to_owned() };
        let text = table(&[(row, Ok(figure)), (row, Err("later".to_owned()))]);
        assert!(text.contains("| B1 | 0.500 ratio | 0.350 | **missed** | 1.0 ms |  | 5 | work (n) |"), "{text}");
        assert!(text.contains("| B1 | – | 0.350 ratio |"), "{text}");
    }
}
