# Debian packages: looks first, and calls apt-get only for what is missing.
# Needs say.sh.

# as_root COMMAND...: runs it as root, through sudo where we are not.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "packages are missing and this user may not install them." \
            "Run as root or with sudo, or have an administrator run: apt-get install $*"
    fi
}

has_package() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages NAME...: afterwards every one is installed. Touches neither network nor sudo when all are there.
need_packages() {
    local missing=() name
    command -v dpkg-query >/dev/null || fail "this is not a Debian machine." \
        "Install what these Debian packages hold, then start ./dokuei by hand: $*"
    for name in "$@"; do has_package "$name" || missing+=("$name"); done
    [ "${#missing[@]}" -gt 0 ] || return 0

    step "installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq </dev/null || true # one stale foreign source must not stop us; the install will tell
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2 ||
        fail "apt-get could not install: ${missing[*]}" "Its own message stands above."
}
