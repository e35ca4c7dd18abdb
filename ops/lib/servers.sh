# Throw-away servers for the tests: PostgreSQL and Redis on free loopback ports, in a temporary folder.
# Needs say.sh and python.sh. What only one test needs (Orthanc, storescp, mail) that test starts itself.

PEER_PACKAGES=(postgresql redis-server sqlite3 dcmtk dicom3tools orthanc orthanc-dicomweb poppler-utils libnss3-tools chromium python3 python3-venv)

free_port() { "$DOKUEI_PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# as_postgres COMMAND...: PostgreSQL refuses to run as root, so root becomes the package's own user.
as_postgres() { if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }

# start_servers: exports DOKUEI_TEST_POSTGRES_URL, DOKUEI_TEST_REDIS_URL and DOKUEI_TEST_PEERS=required.
# Pair it with `trap stop_servers EXIT`, set before.
start_servers() {
    servers_folder=$(mktemp -d "${TMPDIR:-/tmp}/dokuei-peers.XXXXXX")
    chmod 711 "$servers_folder"
    start_postgres
    start_redis
    export DOKUEI_TEST_PEERS=required
}

start_postgres() {
    postgres_bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)
    local port data="$servers_folder/postgres"
    port=$(free_port)
    mkdir "$data"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$data"
    as_postgres "$postgres_bin/initdb" -D "$data/cluster" -U dokuei --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 >"$servers_folder/initdb.log" ||
        fail "initdb failed." "$(tail -n 5 "$servers_folder/initdb.log")"
    # fsync=off: what a power cut would take is of no use here, the folder goes anyway.
    as_postgres "$postgres_bin/pg_ctl" start -D "$data/cluster" -w -s -l "$data/log" \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$data -c fsync=off -c max_connections=300" ||
        fail "PostgreSQL did not start." "$(tail -n 5 "$data/log")"
    export DOKUEI_TEST_POSTGRES_URL="postgres://dokuei@127.0.0.1:$port/postgres"
}

start_redis() {
    local port
    port=$(free_port)
    redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$servers_folder" >"$servers_folder/redis.log" &
    redis_pid=$!
    local tries=0
    until redis-cli -p "$port" ping >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || fail "Redis did not start." "$(tail -n 5 "$servers_folder/redis.log")"
        sleep 0.1
    done
    export DOKUEI_TEST_REDIS_URL="redis://127.0.0.1:$port/"
}

stop_servers() {
    [ -n "${servers_folder:-}" ] || return 0
    [ ! -d "$servers_folder/postgres/cluster" ] ||
        as_postgres "$postgres_bin/pg_ctl" stop -D "$servers_folder/postgres/cluster" -m immediate -s || true
    [ -z "${redis_pid:-}" ] || kill "$redis_pid" 2>/dev/null || true
    rm -rf "$servers_folder"
}
