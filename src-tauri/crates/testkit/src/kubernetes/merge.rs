//! Strategic merge patches, as far as workloads need them: lists of named things are merged by name, `null` removes.

use serde_json::Value;

/// Lists whose elements are merged by this field (Kubernetes' `patchMergeKey`).
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => Some("name"),
        "ports" => Some("containerPort"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

/// Merges a patch into a value.
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(serde_json::Map::new());
    }
    let Value::Object(into) = into else { return };
    for (name, change) in patch {
        match (change, merge_key(name)) {
            (Value::Null, _) => {
                into.remove(name);
            }
            (Value::Array(changes), Some(key)) => {
                let list = into.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    merge_list(list, changes, key);
                }
            }
            (change, _) => merge(into.entry(name.clone()).or_insert(Value::Null), change),
        }
    }
}

fn merge_list(list: &mut Vec<Value>, changes: &[Value], key: &str) {
    for change in changes {
        match list.iter_mut().find(|one| one[key] == change[key]) {
            Some(found) => merge(found, change),
            None => list.push(change.clone()),
        }
    }
}
