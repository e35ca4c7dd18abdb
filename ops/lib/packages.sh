# Debian packages: looks first, and calls apt-get only for what is missing.
# Needs say.sh.

# as_root COMMAND...: runs it as root, through sudo where we are not. Only after may_install.
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

may_install() { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null; }

has_package() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages NAME...: afterwards every one is installed. Touches neither network nor sudo when all are there.
need_packages() {
    local missing=() name log
    command -v dpkg-query >/dev/null || fail "this is not a Debian machine." "What is needed is in these Debian packages: $*"
    for name in "$@"; do has_package "$name" || missing+=("$name"); done
    [ "${#missing[@]}" -gt 0 ] || return 0
    may_install || fail "packages are missing, and this user is neither root nor has sudo." \
        "Have an administrator run: apt-get install ${missing[*]}"

    step "installing Debian packages: ${missing[*]}"
    log=$(mktemp "${TMPDIR:-/tmp}/dokuei-apt.XXXXXX")
    # One stale foreign source must not stop us: whether the packages can be had, the install will tell.
    as_root apt-get update -qq </dev/null >"$log" 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1 ||
        fail "apt-get could not install: ${missing[*]}" "$(grep -E '^[EW]:' "$log" || tail -n 5 "$log")"
    rm -f "$log"
}
