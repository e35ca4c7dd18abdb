# The Rust side: is cargo new enough, and where do builds go.
# Needs say.sh and packages.sh.

BUILD_PACKAGES=(ca-certificates cmake make g++ clang libclang-dev pkg-config libpq-dev fonts-ipaexfont fonts-noto-cjk)
CARGO_AT_LEAST=1.95

# One target folder for running, testing and measuring, so that nothing is built twice.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/dokuei-target}"

need_cargo() {
    command -v cargo >/dev/null || PATH="$HOME/.cargo/bin:$PATH"
    local way_out='Get it from https://rustup.rs, or, where rustup is there already, with: rustup update stable'
    command -v cargo >/dev/null || fail "cargo $CARGO_AT_LEAST or newer is needed and there is none." "$way_out"
    local have
    have=$(cargo --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n' "$CARGO_AT_LEAST" "$have" | sort -V | head -n 1)" = "$CARGO_AT_LEAST" ] ||
        fail "cargo $CARGO_AT_LEAST or newer is needed, this one is $have." "$way_out"
}

# need_rust: compiler, C++ tools for the solver, fonts for the reports.
need_rust() {
    need_packages "${BUILD_PACKAGES[@]}"
    need_cargo
}

# build_dokuei: builds the binary and sets dokuei_bin. `--workspace` only so that every script
# resolves the same dependency features; otherwise running after testing would build them again.
build_dokuei() {
    step "building dokuei (the first time takes many minutes) in $CARGO_TARGET_DIR"
    cargo build --locked --workspace --bin dokuei || fail "the build failed; the compiler's message stands above."
    dokuei_bin="$CARGO_TARGET_DIR/debug/dokuei"
}
