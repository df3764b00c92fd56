#!/bin/sh
# Makes an authority, a server certificate and a client certificate to try TLS with; not for production.
# Usage: tools/make_certificates.sh FOLDER [HOST]   HOST is the name or address that clients will use (default: localhost).
set -eu
folder=${1:?"usage: tools/make_certificates.sh FOLDER [HOST]"}
host=${2:-localhost}
command -v openssl >/dev/null || {
    echo "openssl is needed to make certificates, and it was not found" >&2
    exit 1
}
case $host in
    *[!A-Za-z0-9.:-]* | "")
        echo "HOST must be a name or an address" >&2
        exit 1
        ;;
    # Only digits and dots, or a colon: an address.
    *:*) name="IP:$host" ;;
    *[!0-9.]*) name="DNS:$host" ;;
    *) name="IP:$host" ;;
esac

# Keys are for their owner alone.
umask 077
mkdir -p "$folder"
cd "$folder"

new_key() {
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1-key.pem"
}

# NAME SUBJECT EXTENSIONS: a key and a certificate of it, signed by the authority, good for 90 days.
new_certificate() {
    new_key "$1"
    openssl req -new -key "$1-key.pem" -subj "$2" -out "$1.csr"
    printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority-key.pem -CAcreateserial -days 90 -sha256 \
        -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    rm -f "$1.csr" "$1.ext"
}

if [ ! -f authority-key.pem ]; then
    new_key authority
    openssl req -x509 -new -key authority-key.pem -subj "/CN=Tehai test authority" -days 365 -sha256 \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" -out authority.pem
fi
new_certificate server "/CN=$host" "$(printf 'extendedKeyUsage=serverAuth\nsubjectAltName=%s' "$name")"
new_certificate client "/O=Example/CN=client" "extendedKeyUsage=clientAuth"
chmod 644 authority.pem server.pem client.pem

cat <<TEXT
Server: TEHAI_TLS_CERTIFICATE_FILE=$PWD/server.pem TEHAI_TLS_KEY_FILE=$PWD/server-key.pem
Clients trust $PWD/authority.pem. With client certificates also:
        TEHAI_TLS_CLIENT_ROOTS_FILE=$PWD/authority.pem TEHAI_CLIENT_CERTIFICATES=required
        TEHAI_CLIENT_CERTIFICATE_TENANTS='{"CN=client,O=Example": {"tenant": "example"}}'
Run it again for new certificates of the same authority; a running server takes them up.
TEXT
