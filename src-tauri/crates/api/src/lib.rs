//! The one table of commands, wire types, error codes and cache tags
