//! What a process costs, from `/proc`.

use std::collections::HashMap;

/// What the kernel counts processor time in (`sysconf(_SC_CLK_TCK)`, 100 on every Linux that Debian builds).
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// Returns a process with all that descend from it.
pub(crate) fn family(of: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").expect("there is a /proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = stat(id).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut family = vec![of];
    let mut next = 0;
    while next < family.len() {
        family.extend(children.remove(&family[next]).unwrap_or_default());
        next += 1;
    }
    family
}

/// Returns the fields of `/proc/<id>/stat` behind the program's name: state, parent, … (proc(5)).
fn stat(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}

/// Returns the processor time of a process with all that descend from it, in the kernel's ticks.
pub(crate) fn ticks(of: u32) -> f64 {
    let spent = |fields: Vec<String>| Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?);
    family(of).into_iter().filter_map(|id| spent(stat(id)?)).sum()
}
