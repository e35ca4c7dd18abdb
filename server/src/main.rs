//! The binary `dokuei`. See `dokuei help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dokuei_server::cli::main()
}
