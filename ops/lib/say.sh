# Words on the terminal: one line for each step, with the seconds since the start.

step() { printf '\n==> [%3ds] %s\n' "$SECONDS" "$*" >&2; }

# fail SENTENCE...: says what is wrong and what to do about it, one sentence a line, and ends the script.
fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    [ "$#" -eq 0 ] || printf '       %s\n' "$@" >&2
    exit 1
}
