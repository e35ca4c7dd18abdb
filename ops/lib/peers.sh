# Everything a test may need besides the compiler, in one call.
# Needs say.sh, packages.sh, rust.sh, python.sh, servers.sh.

# need_peers: packages, Python environment, browser driver; then the throw-away servers, stopped when the script ends.
need_peers() {
    need_packages "${PEER_PACKAGES[@]}"
    need_python ops/python-requirements.txt
    need_browser_driver tests/browser
    trap stop_servers EXIT
    trap 'exit 130' INT TERM
    step "starting PostgreSQL and Redis on free ports"
    start_servers
}
