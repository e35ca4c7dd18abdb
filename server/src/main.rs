//! The binary `dokuei`. See `dokuei help`.

use std::process::ExitCode;

/// The system's allocator keeps the large blocks of password hashing and of decoded pictures; this one gives them back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dokuei_server::cli::main()
}
