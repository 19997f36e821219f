//! Files of hosts: where each host stores its servers, in which format, and how to edit it.
//!
//! | module | content |
//! |---|---|
//! | `table` | the hosts, from `hosts.toml` |
//! | `machine`, `locate` | the operating system, and the file of a host |
//! | `entry` | servers, in the format of a host |
//! | `host_command` | changes of a file by the program of its host |
//! | `installation` | the entries of one host in its file |
//! | `launch` | the server of an entry: absolute paths, variables, its name |
//! | `check` | starts a server as a host does |
//! | `edit` | changes of one entry in a text |
//! | `file` | atomic replacement of a file, with a backup |

pub(crate) mod check;
pub(crate) mod edit;
pub(crate) mod entry;
pub(crate) mod file;
pub(crate) mod host_command;
pub(crate) mod installation;
pub(crate) mod launch;
pub(crate) mod locate;
pub(crate) mod machine;
pub(crate) mod table;
