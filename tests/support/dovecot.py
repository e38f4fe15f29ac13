#!/usr/bin/env python3
"""Runs a private Dovecot on loopback for as long as standard input stays open.

usage: dovecot.py DIR [knobs]        all of it lives in DIR; mail that is there from an earlier run is kept

Once the server answers, NAME=VALUE lines (ports, certificates, passwords, tokens) and a last line READY are printed. When
standard input ends, for whatever reason (the parent closed it, was killed, crashed), the server is stopped: no orphans.
Works as root (mail belongs to `mail`, DIR must be reachable for others) and as a user (all of it runs as that user).
"""
import argparse
import base64
import ctypes
import grp
import hashlib
import hmac
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time

USERS = {
    "alice": "wonder land",
    "bob": 'p"a\\ss{5}%',
    "carol": "K\u00e4se:\u65e5\u672c",
    "dave": " lead and trail ",
    **{f"user{number}": "secret" for number in range(1, 10)},
}
SERVICES = ("imap", "imaps", "pop3", "pop3s")
JWT_KEY = b"a key that only this throwaway server knows"


def openssl(directory, *arguments):
    subprocess.run(("openssl", *arguments), cwd=directory, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def makeCertificates(directory):
    """A CA and what it signed: server (good), wronghost, expired; selfsigned is of nobody."""
    if os.path.exists(os.path.join(directory, "selfsigned.crt")):
        return
    os.makedirs(directory, exist_ok=True)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(directory, "req", "-x509", *key, "-days", "30", "-subj", "/CN=mailbraid throwaway CA", "-keyout", "ca.key",
            "-out", "ca.crt", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    local = "DNS:localhost,IP:127.0.0.1"
    for name, names, validity in (("server", local, ("20200101000000Z", "20491231235959Z")),
                                  ("wronghost", "DNS:other.example", ("20200101000000Z", "20491231235959Z")),
                                  ("expired", local, ("20200101000000Z", "20210101000000Z"))):
        with open(os.path.join(directory, name + ".cnf"), "w", encoding="ascii") as file:
            file.write(f"[ca]\ndefault_ca = authority\n[authority]\ndatabase = {name}.index\nnew_certs_dir = .\n"
                       "private_key = ca.key\ncertificate = ca.crt\ndefault_md = sha256\npolicy = names\nrand_serial = yes\n"
                       "x509_extensions = leaf\n[names]\ncommonName = supplied\n"
                       f"[leaf]\nsubjectAltName = {names}\nbasicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth\n")
        open(os.path.join(directory, name + ".index"), "w", encoding="ascii").close()
        openssl(directory, "req", *key, "-subj", f"/CN={names.split(',')[0][4:]}", "-keyout", name + ".key", "-out", name + ".csr")
        openssl(directory, "ca", "-batch", "-config", name + ".cnf", "-startdate", validity[0], "-enddate", validity[1],
                "-in", name + ".csr", "-out", name + ".crt", "-notext")
    openssl(directory, "req", "-x509", *key, "-days", "30", "-subj", "/CN=localhost", "-addext", f"subjectAltName={local}",
            "-keyout", "selfsigned.key", "-out", "selfsigned.crt")


def freePorts(count):
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def token(user, seconds):
    """A JWT (RFC 7519) that the server validates by itself."""
    def encode(octets):
        return base64.urlsafe_b64encode(octets).rstrip(b"=")
    now = int(time.time())
    claims = {"sub": user, "iat": now - 7200, "exp": now + seconds, "scope": "mail"}
    text = encode(b'{"alg":"HS256","typ":"JWT"}') + b"." + encode(json.dumps(claims).encode())
    return (text + b"." + encode(hmac.new(JWT_KEY, text, hashlib.sha256).digest())).decode()


def writeFile(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def configuration(directory, ports, knobs):
    root = os.geteuid() == 0
    me = pwd.getpwuid(os.geteuid())
    owner = pwd.getpwnam("mail") if root else me
    group = grp.getgrgid(owner.pw_gid).gr_name
    home = os.path.join(directory, "home")
    os.makedirs(home, exist_ok=True)
    if root:
        os.chown(home, owner.pw_uid, owner.pw_gid)
    writeFile(os.path.join(directory, "keys/default/HS256/default"), base64.b64encode(JWT_KEY).decode())
    writeFile(os.path.join(directory, "oauth2.conf"),
              f"introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={directory}/keys/\n"
              "username_attribute = sub\nopenid_configuration_url = https://127.0.0.1/none\n")
    writeFile(os.path.join(directory, "users"), "".join(
        f"{name}:{{PLAIN.b64}}{base64.b64encode(password.encode()).decode()}::::\n" for name, password in USERS.items()))
    # Without root nothing can change its user or its root directory; the login processes must not try.
    alone = "" if root else (f"default_internal_user = {me.pw_name}\ndefault_internal_group = {group}\n"
                             f"default_login_user = {me.pw_name}\n")
    chroot = "" if root else "  chroot =\n"
    roles = "".join(f'  mailbox "{name}" {{\n    special_use = {role}\n  }}\n'
                    for name, role in (pair.rsplit("=", 1) for pair in knobs.role))
    services = ""
    for protocol in ("imap", "pop3"):
        services += f"service {protocol}-login {{\n{chroot}  service_count = 0\n  process_min_avail = 1\n"
        for name, ssl in ((protocol, "no"), (protocol + "s", "yes")):
            services += f"  inet_listener {name} {{\n    port = {ports[name]}\n    ssl = {ssl}\n  }}\n"
        services += f"}}\nservice {protocol} {{\n  vsz_limit = 1G\n  process_min_avail = 1\n  process_limit = 200\n}}\n"
    quota = (f"mail_plugins = quota\nplugin {{\n  quota = count:User quota\n  quota_vsizes = yes\n"
             f"  quota_rule = *:storage={knobs.quota}\n}}\n" if knobs.quota else "")
    plugins = " ".join((["quota", "imap_quota"] if knobs.quota else []) + ([] if knobs.no_compress else ["imap_zlib"]))
    for name in ("anvil", "auth-worker", "stats"):
        services += "" if root else f"service {name} {{\n{chroot}}}\n"
    # Without this listener nobody is kept waiting for wrong passwords of others on the same address.
    services += "service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"
    return f"""
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/log
instance_name = mailbraid-{os.getpid()}
protocols = imap pop3
listen = 127.0.0.1
{alone}ssl = yes
ssl_cert = <{directory}/tls/{knobs.certificate}.crt
ssl_key = <{directory}/tls/{knobs.certificate}.key
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = {"yes" if knobs.only_tls else "no"}
auth_mechanisms = {knobs.mechanisms}
auth_failure_delay = 0
auth_verbose = yes
mail_uid = {owner.pw_name}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_home = {home}/%u
mail_location = {knobs.format}:~/mail
mail_save_crlf = yes
mail_fsync = never
mail_max_userip_connections = 200
imap_capability = {knobs.capability}
imap_id_retain = no
pop3_uidl_format = {knobs.uidl}
# RETR would mark a message as seen for IMAP, and a second sync would find that.
pop3_no_flag_updates = yes
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {directory}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 apop
  args = username_format=%u {directory}/users
}}
userdb {{
  driver = static
  args = uid={owner.pw_name} gid={group} home={home}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = {knobs.separator}
  prefix = {knobs.prefix}
{roles}}}
{quota}protocol imap {{
  mail_plugins = {plugins}
}}
{services}"""


def dieWithParent():
    prSetPdeathsig = 1
    ctypes.CDLL(None).prctl(prSetPdeathsig, signal.SIGTERM)


def answers(server, ports):
    """Waits for the greetings; False when the server ended instead (another program took a port)."""
    end = time.monotonic() + 30
    for name in ("imap", "pop3"):
        while True:
            try:
                with socket.create_connection(("127.0.0.1", ports[name]), 5) as connection:
                    if connection.recv(1):
                        break
            except OSError:
                pass
            if server.poll() is not None or time.monotonic() > end:
                return False
            time.sleep(0.02)
    return True


def parseKnobs():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--format", default="sdbox", help="sdbox (keeps every octet) or maildir")
    parser.add_argument("--capability", default="", help="what it announces instead of all it can")
    parser.add_argument("--uidl", default="%08Xu%08Xv", help="pop3_uidl_format")
    parser.add_argument("--certificate", default="server", choices=("server", "wronghost", "expired", "selfsigned"))
    parser.add_argument("--separator", default="/")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--role", action="append", default=[], metavar="NAME=\\ROLE", help="the special use of mailboxes of this name")
    parser.add_argument("--mechanisms", default="plain login cram-md5 scram-sha-1 scram-sha-256 apop xoauth2 oauthbearer")
    parser.add_argument("--no-compress", action="store_true")
    parser.add_argument("--quota", default="", metavar="SIZE", help="of each user, as 100k")
    parser.add_argument("--only-tls", action="store_true", help="no password without TLS (not for 127.0.0.1: Dovecot trusts it)")
    return parser.parse_args()


def main():
    os.umask(0o022)  # a stricter one of ours would close the directories to the server's users
    knobs = parseKnobs()
    os.makedirs(knobs.directory, exist_ok=True)
    directory = os.path.realpath(knobs.directory)
    if os.geteuid() == 0:
        os.chmod(directory, 0o755)
        above = directory
        while above != "/":
            above = os.path.dirname(above)
            if not os.stat(above).st_mode & 0o001:
                sys.exit(f"{above} is closed to the server's users (chmod o+x): use another directory")
    binary = next((path for path in ("/usr/sbin/dovecot", "/usr/local/sbin/dovecot") if os.path.exists(path)), None)
    if not binary:
        sys.exit("dovecot is not installed: apt-get install dovecot-imapd dovecot-pop3d")
    makeCertificates(os.path.join(directory, "tls"))
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        signal.signal(getattr(signal, name), lambda *_: sys.exit(0))
    path = os.path.join(directory, "dovecot.conf")
    server = None
    try:
        for _ in range(3):
            ports = dict(zip(SERVICES, freePorts(len(SERVICES))))
            writeFile(path, configuration(directory, ports, knobs))
            server = subprocess.Popen((binary, "-F", "-c", path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      preexec_fn=dieWithParent)
            if answers(server, ports):
                break
            server.kill()
            server.wait()
        else:
            sys.exit(f"dovecot did not start, see {directory}/log")
        lines = [f"{name.upper()}_PORT={ports[name]}" for name in SERVICES]
        lines += [f"CA={directory}/tls/ca.crt", f"LOG={directory}/log", f"PID={server.pid}"]
        lines += [f"PASSWORD_{name}={password}" for name, password in USERS.items()]
        lines += [f"TOKEN_{name}={token(name, 86400)}" for name in ("alice", "user1")]
        lines += [f"EXPIRED_TOKEN_{name}={token(name, -3600)}" for name in ("alice", "user1")]
        sys.stdout.buffer.write(("\n".join(lines) + "\nREADY\n").encode())
        sys.stdout.buffer.flush()
        while os.read(0, 4096):
            pass
    finally:
        if server:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


if __name__ == "__main__":
    main()
