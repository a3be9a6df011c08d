//! The TypeScript side of the table, generated: `export-bindings` writes it, `make check` proves that it is current.

use crate::command::CommandKind;
use crate::table::COMMANDS;
use std::collections::BTreeMap;
use std::fmt::Write;
use ts_rs::{Config, TS, TypeVisitor};

/// JSON numbers are what the wire carries, so 64-bit integers are `number`; every id and size stays far below 2^53.
#[must_use]
pub fn config() -> Config {
    Config::new().with_large_int("number")
}

/// Every type that a command needs, by name, so that the output has one order.
struct Declarations<'a> {
    config: &'a Config,
    found: BTreeMap<String, String>,
}

impl Declarations<'_> {
    fn add<T: TS + 'static + ?Sized>(&mut self) {
        // Only types with a file of their own are declared; the others stand where they are used.
        if T::output_path().is_some() {
            let name = T::ident(self.config);
            if self.found.contains_key(&name) {
                return;
            }
            self.found.insert(name, T::decl(self.config));
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl TypeVisitor for Declarations<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_some() && self.found.contains_key(&T::ident(self.config)) {
            return;
        }
        self.add::<T>();
    }
}

/// Returns the whole bindings file.
#[must_use]
pub fn bindings() -> String {
    let config = config();
    let mut declarations = Declarations { config: &config, found: BTreeMap::new() };
    crate::table::visit_types(&mut declarations);
    declarations.add::<crate::EventMessage>();
    declarations.add::<crate::CacheTag>();
    declarations.add::<slipway_core::Failure>();
    let mut text = String::from(
        "// Generated from the command table by `cargo run -p slipway-api --bin export-bindings`. Never edited.\n\n",
    );
    for declaration in declarations.found.values() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "export {declaration}\n");
    }
    text.push_str("/** Every command with its request and response. */\nexport interface Commands {\n");
    for command in COMMANDS.iter().map(|describe| describe(&config)) {
        let _ = writeln!(text, "  /** {} */", command.summary);
        let _ = writeln!(
            text,
            "  \"{}\": {{ request: {}; response: {} }};",
            command.name, command.request, command.response
        );
    }
    text.push_str(
        "}\n\n/** Cache tags: what a read provides, what a write invalidates. */\nexport const commandTags = {\n",
    );
    for command in COMMANDS.iter().map(|describe| describe(&config)) {
        let kind = match command.kind {
            CommandKind::Read => "read",
            CommandKind::Write => "write",
        };
        let tags = serde_json::to_string(command.tags).unwrap_or_default();
        let _ = writeln!(text, "  \"{}\": {{ kind: \"{kind}\", tags: {tags} }},", command.name);
    }
    text.push_str("} as const;\n");
    text
}
