#!/bin/sh
# A private PostgreSQL server for tests and trials: start | stop [fast|immediate] | url | remove.
#
# start  installs PostgreSQL with apt-get where there is none, creates a cluster in .tools/postgres, starts it on a free
#        port of 127.0.0.1 and prints its URL; where it runs already, it only prints the URL.
# stop   stops it; `stop immediate` as a crash would. A later start takes the same data, and the same port if it is free.
# url    prints the URL of the server that runs.
# remove stops it and deletes the cluster.
#
# Works as root (the server then runs as the user postgres, for PostgreSQL refuses root) and as a normal user.
# TEHAI_POSTGRES_FOLDER names another folder than .tools/postgres; PYTHON another Python than the one in .venv.
set -eu
cd "$(dirname "$0")/.."

folder=${TEHAI_POSTGRES_FOLDER:-"$PWD/.tools/postgres"}
starts_max=5

say() {
    echo "$*" >&2
}

# The folder with initdb and pg_ctl: that of the path, else the newest of Debian's.
find_programs() {
    for candidate in "$(dirname "$(command -v initdb || echo /nowhere/initdb)")" \
        $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin 2>/dev/null | sort -rV); do
        if [ -x "$candidate/initdb" ] && [ -x "$candidate/pg_ctl" ] && [ -x "$candidate/postgres" ]; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

install_programs() {
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo -n"
        if ! sudo -n true 2>/dev/null; then
            say "PostgreSQL is not installed and this user may not install it; ask for the package postgresql"
            exit 1
        fi
    fi
    command -v apt-get >/dev/null || {
        say "PostgreSQL is not installed and there is no apt-get; install PostgreSQL 13 or later"
        exit 1
    }
    say "Installing PostgreSQL"
    # Without this the package would start a server of its own.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        $as_root mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    {
        $as_root apt-get update -qq
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o Dpkg::Options::=--force-confold postgresql
    } >&2
}

# Runs a program of PostgreSQL as the user that owns the cluster.
as_owner() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    elif command -v runuser >/dev/null; then
        runuser -u postgres -- "$@"
    else
        su postgres -s /bin/sh -c 'exec "$0" "$@"' -- "$@"
    fi
}

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Where the checkout is closed to the server's user, the cluster goes to the temporary folder; `location` says where.
choose_data() {
    mkdir -p "$folder"
    data="$folder/data"
    [ ! -f "$folder/location" ] || data=$(cat "$folder/location")
    [ "$(id -u)" -eq 0 ] || return 0
    id postgres >/dev/null 2>&1 || useradd --system --no-create-home postgres
    if [ ! -f "$folder/location" ] && ! as_owner test -x "$folder"; then
        data="$(mktemp -d "${TMPDIR:-/tmp}/tehai-postgres.XXXXXX")/data"
        chmod 711 "$(dirname "$data")"
        echo "$data" >"$folder/location"
    fi
}

create_cluster() {
    # A cluster in the temporary folder may have been swept away.
    if [ -f "$folder/ready" ] && as_owner test -f "$data/PG_VERSION"; then
        return 0
    fi
    say "Creating a cluster in $data"
    rm -rf "$data"
    mkdir -p "$data"
    chmod 700 "$data"
    (umask 077 && "$python" -c 'import secrets; print(secrets.token_hex(16))' >"$folder/password")
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$data"
    fi
    # initdb reads the password as the owner of the cluster, who may not read the file in this folder.
    copy=$(cd / && as_owner mktemp)
    (cd / && as_owner tee "$copy" >/dev/null) <"$folder/password"
    (cd / && as_owner "$programs/initdb" -D "$data" -U tehai -A scram-sha-256 --pwfile="$copy" -E UTF8 --locale=C \
        --no-instructions >/dev/null)
    as_owner rm -f "$copy"
    # Everything that makes it durable stays as it is by default: fsync, full_page_writes, synchronous_commit.
    as_owner tee -a "$data/postgresql.conf" >/dev/null <<'SETTINGS'
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
SETTINGS
    touch "$folder/ready"
}

runs() {
    [ -f "$folder/ready" ] && (cd / && as_owner "$programs/pg_ctl" -D "$data" status >/dev/null 2>&1)
}

url() {
    echo "postgresql://tehai:$(cat "$folder/password")@127.0.0.1:$(cat "$folder/port")/postgres"
}

start() {
    create_cluster
    tries=0
    until runs; do
        # The port of last time first, so that a URL stays good.
        if [ "$tries" -gt 0 ] || [ ! -f "$folder/port" ]; then
            free_port >"$folder/port"
        fi
        tries=$((tries + 1))
        # The server must not hold this script's output or lock.
        (cd / && as_owner "$programs/pg_ctl" -D "$data" -l "$data/server.log" -w -t 60 -o "-p $(cat "$folder/port")" \
            start >/dev/null 2>&1 </dev/null 9>&-) || true
        if [ "$tries" -ge "$starts_max" ] && ! runs; then
            say "PostgreSQL did not start; the end of $data/server.log:"
            as_owner tail -n 20 "$data/server.log" >&2 || true
            exit 1
        fi
    done
    url
}

stop() {
    ! runs || (cd / && as_owner "$programs/pg_ctl" -D "$data" -m "$1" -w -t 60 stop >/dev/null)
}

remove() {
    stop fast
    rm -rf "$data"
    [ ! -f "$folder/location" ] || rm -rf "$(dirname "$data")"
    rm -rf "$folder"
}

# An unknown word changes nothing.
case "${1:-}" in
start | stop | url | remove) ;;
*)
    say "usage: tools/postgres.sh start | stop [fast|immediate] | url | remove"
    exit 2
    ;;
esac

python=${PYTHON:-.venv/bin/python}
[ -x "$python" ] || python=$(command -v "${PYTHON:-python3}")
mkdir -p "$folder"
# Two that call at the same time wait for each other.
if command -v flock >/dev/null; then
    exec 9>"$folder/lock"
    flock 9
fi
if ! programs=$(find_programs); then
    [ "$1" = start ] || exit 0
    install_programs
    programs=$(find_programs)
fi
choose_data
case "$1" in
start) start ;;
stop) stop "${2:-fast}" ;;
url)
    runs || {
        say "PostgreSQL does not run; tools/postgres.sh start starts it"
        exit 1
    }
    url
    ;;
remove) remove ;;
esac
