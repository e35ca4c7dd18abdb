# OHIF, the viewer that the browser tests open our DICOMweb with: its makers' own build, pinned by its checksum.
# Needs say.sh, rust.sh (for CARGO_TARGET_DIR) and need_browser_driver.

OHIF_VERSION=3.13.2
OHIF_SHA512=5997719a9986eeba85816f5924b71b82bdd70ad2e2d4a0cd3e831a798e4f3deea3e06e1f8c48e393271933a0ba664d85f3b04ac457e9abe8dde715d907d13c10

# need_ohif: exports DOKUEI_OHIF, the folder of its pages.
need_ohif() {
    local folder="$CARGO_TARGET_DIR/ohif-$OHIF_VERSION" scripts="$CARGO_TARGET_DIR/venv/bin" work
    export DOKUEI_OHIF="$folder/dist"
    [ ! -f "$folder/installed" ] || return 0
    step "installing OHIF $OHIF_VERSION"
    work=$(mktemp -d "$CARGO_TARGET_DIR/ohif.XXXXXX")
    (cd "$work" && PATH="$scripts:$PATH" "$scripts/npm" pack --silent "@ohif/app@$OHIF_VERSION" </dev/null >/dev/null)
    echo "$OHIF_SHA512  $work/ohif-app-$OHIF_VERSION.tgz" | sha512sum --check --quiet ||
        fail "what came as OHIF $OHIF_VERSION is something else." "Look at $work, and at OHIF_SHA512 in ops/lib/ohif.sh."
    tar -xzf "$work/ohif-app-$OHIF_VERSION.tgz" -C "$work" --exclude='*.map'
    touch "$work/package/installed"
    rm -rf "$folder"
    mv "$work/package" "$folder"
    rm -rf "$work"
}
