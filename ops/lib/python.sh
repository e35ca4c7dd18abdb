# The Python side of the tests: a virtual environment in the target folder, real DICOM files, node.
# Needs say.sh and rust.sh (for CARGO_TARGET_DIR).

# need_python REQUIREMENTS: makes the environment when it is not there or REQUIREMENTS changed.
# Exports DOKUEI_PYTHON (interpreter) and DOKUEI_DICOM_SAMPLES (one flat folder of real files).
need_python() {
    local venv="$CARGO_TARGET_DIR/venv" requirements="$1"
    export DOKUEI_PYTHON="$venv/bin/python"
    export DOKUEI_DICOM_SAMPLES="$CARGO_TARGET_DIR/dicom-samples"
    if ! cmp -s "$requirements" "$venv/installed-requirements.txt" || ! "$DOKUEI_PYTHON" -c '' 2>/dev/null; then
        step "making the Python environment in $venv"
        rm -f "$venv/installed-requirements.txt"
        "$DOKUEI_PYTHON" -c '' 2>/dev/null || /usr/bin/python3 -m venv --clear "$venv" </dev/null
        "$DOKUEI_PYTHON" -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements" </dev/null
        link_samples
        cp "$requirements" "$venv/installed-requirements.txt"
    fi
}

# need_bench_python REQUIREMENTS: an environment of its own for the peers of a benchmark. Sets bench_python.
need_bench_python() {
    local venv="$CARGO_TARGET_DIR/bench-venv" requirements="$1"
    bench_python="$venv/bin/python"
    if ! cmp -s "$requirements" "$venv/installed-requirements.txt" || ! "$bench_python" -c '' 2>/dev/null; then
        step "making the benchmark's Python environment in $venv"
        rm -f "$venv/installed-requirements.txt"
        "$bench_python" -c '' 2>/dev/null || /usr/bin/python3 -m venv --clear "$venv" </dev/null
        "$bench_python" -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements" </dev/null
        cp "$requirements" "$venv/installed-requirements.txt"
    fi
}

# link_samples: every *.dcm of pydicom and pydicom-data under its own name in one folder.
link_samples() {
    rm -rf "$DOKUEI_DICOM_SAMPLES"
    mkdir -p "$DOKUEI_DICOM_SAMPLES"
    "$DOKUEI_PYTHON" - "$DOKUEI_DICOM_SAMPLES" <<'PY'
import pathlib, sys, data_store, pydicom

into = pathlib.Path(sys.argv[1])
own = pathlib.Path(pydicom.__file__).parent / "data"
folders = [own / "test_files", own / "charset_files", pathlib.Path(data_store.__file__).parent / "data"]
for folder in folders:
    for file in sorted(folder.glob("*.dcm")):
        link = into / file.name
        if not link.exists():
            link.symlink_to(file)
PY
}

# need_browser_driver FOLDER: playwright-core as FOLDER/package.json pins it, and DOKUEI_NODE to run it.
# node comes out of the Python environment, because Debian 12's own is too old for it.
need_browser_driver() {
    local folder="$1" scripts="$CARGO_TARGET_DIR/venv/bin"
    export DOKUEI_NODE="$scripts/node"
    cmp -s "$folder/package-lock.json" "$folder/node_modules/installed-lock.json" && return 0
    step "installing the browser driver"
    (cd "$folder" && PATH="$scripts:$PATH" "$scripts/npm" ci --silent --no-audit --no-fund --ignore-scripts </dev/null)
    cp "$folder/package-lock.json" "$folder/node_modules/installed-lock.json"
}
