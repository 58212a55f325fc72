# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A root file system with packages of every kind, installed by rpm itself; sourced. Needs root, rpmbuild, rpmsign, gpg.
#
#   bed_missing            what this machine lacks for it, or nothing
#   bed_make DIR           DIR/root: packages signed by the key `vendor`; DIR/keys: vendor, other, stranger (.asc, .gpg)
#   bed_rpm ROOT ARG...    rpm on such a root, with the database where systems have it
#   bed_package DIR NAME KEY FILE...   builds and signs a package of these files (KEY `none`: unsigned); prints its path
#
#   bed_host OUT           in a mount namespace of its own: $root becomes an overlay over DIR/root, OUT is made
#   bed_muster ARG...      muster, whose localhost is $root, with the database $OUT/db; $build has the programs
#
# The packages: core (all attributes), docs (left out by --excludedocs), net (netshared), share-a and share-b (one path,
# two mtimes), keep-a and keep-b (one replaces a file of the other), multi (i686 and x86_64, one path in two colours), old
# (MD5 alone, as before rpm 4.6), sums (SHA-512), moved (relocated with --prefix), huge (sizes of 64 bits).

# Signatures and building need nothing of this user's own configuration.
bed_missing() {
	local program
	for program in rpm rpmbuild rpmsign gpg gpgv python3 unshare; do
		command -v "$program" >/dev/null || printf '%s ' "$program"
	done
}

bed_rpm() {
	local root=$1
	shift
	rpm --root "$root" --define '_dbpath /var/lib/rpm' --define '_transaction_color 3' \
		--define '_netsharedpath /srv/net' "$@"
}

bed_key() { # NAME ALGORITHM
	gpg --batch --quiet --passphrase '' --quick-gen-key "$1 <$1@localhost>" "$2" sign never
	gpg --batch --armor --export "$1@localhost" >"$bed/keys/$1.asc"
	gpg --batch --export "$1@localhost" >"$bed/keys/$1.gpg"
}

bed_sign() { # KEY FILE...
	local key=$1
	shift
	[ "$key" != none ] || return 0
	rpmsign --define "__gpg $(command -v gpg)" --define "_gpg_name $key@localhost" --addsign "$@" >>"$bed/log" 2>&1
}

bed_build() { # SPEC [OPTION...]
	local spec=$1
	shift
	rpmbuild --define "_topdir $bed/build" --define '_rpmfilename %%{NAME}-%%{ARCH}.rpm' "$@" -bb "$spec" \
		>>"$bed/log" 2>&1
}

# Nothing is stripped, compressed or searched for dependencies.
bed_head='License: MIT
AutoReqProv: no
%define debug_package %{nil}
%define __os_install_post %{nil}
%define _build_id_links none
%define _source_filedigest_algorithm 8'

bed_core_spec() {
	cat <<SPEC
Name: core
Version: 1.0
Release: 1
Summary: every attribute that rpm verifies
$bed_head
%description
%{summary}.
%package -n docs
Summary: installed without its documentation
%description -n docs
%{summary}.
%package -n net
Summary: below a path shared over the network
%description -n net
%{summary}.
%install
cd %{buildroot}
mkdir -p etc usr/bin usr/lib64 usr/share/core usr/share/doc/core var/lib/core var/log opt/core/deep m srv/net
mkdir -p usr/share/doc/docs
for name in tool suid caps emptycap plain unknown unknowngroup owned touched; do
	echo "\$name, as it was shipped" >usr/bin/\$name
done
ln usr/bin/tool usr/bin/tool-again
ln -s tool usr/bin/link
ln -s /nowhere usr/bin/dangling
echo config >etc/core.conf
echo noreplace >etc/core-noreplace.conf
echo absent >etc/core-missingok.conf
echo unverified >etc/core-unverified
echo mode only >etc/core-modeonly
echo data >usr/share/core/data
echo below a link >usr/lib64/libcore
echo deep >opt/core/deep/file
for name in doc license readme artifact missingok; do
	echo "\$name" >m/\$name
done
head -c 300000 /dev/zero >usr/share/core/large
echo doc >usr/share/doc/docs/README
echo docs >usr/bin/docs
echo net >srv/net/file
find . -exec touch -h -d '2024-03-01 12:00:00 UTC' {} +
%files
%attr(0755,root,root) /usr/bin/tool
%attr(0755,root,root) /usr/bin/tool-again
%attr(4755,root,root) /usr/bin/suid
%attr(0755,root,root) %caps(cap_net_raw=ep) /usr/bin/caps
%attr(0755,root,root) %caps(=) /usr/bin/emptycap
%attr(0755,root,root) /usr/bin/plain
%attr(0755,root,root) /usr/bin/touched
%attr(4755,nosuch,root) /usr/bin/unknown
%attr(2755,root,nosuch) /usr/bin/unknowngroup
%attr(0750,daemon,mail) /usr/bin/owned
/usr/bin/link
/usr/bin/dangling
%config /etc/core.conf
%config(noreplace) /etc/core-noreplace.conf
%config(missingok) /etc/core-missingok.conf
%verify(not size filedigest mtime) /etc/core-unverified
%verify(mode) /etc/core-modeonly
%dir /usr/share/core
/usr/share/core/data
/usr/share/core/large
/usr/lib64/libcore
%dir /opt/core
%dir /opt/core/deep
/opt/core/deep/file
%dir /m
%doc /m/doc
%license /m/license
%readme /m/readme
%artifact /m/artifact
%missingok /m/missingok
%dev(c,10,200) %attr(0600,root,root) /m/null
%dir %attr(0750,root,root) /var/lib/core
%ghost %attr(0640,root,mail) /var/log/core.log
%ghost /var/lib/core/state
%files -n docs
/usr/bin/docs
%doc /usr/share/doc/docs/README
%files -n net
/srv/net/file
SPEC
}

bed_small_spec() { # NAME VERSION INSTALL FILES
	cat <<SPEC
Name: $1
Version: $2
Release: 1
Summary: $1
$bed_head
%description
%{summary}.
%install
cd %{buildroot}
$3
%files
$4
SPEC
}

# The shortest headers that are taken for programs of 32 and 64 bits.
bed_elf() { # CLASS FILE
	python3 - "$1" "$2" <<'PYTHON'
import struct, sys
wide = sys.argv[1] == "64"
head = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
if wide:
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, 0, 0, 64, 56, 0, 64, 0, 0)
else:
    head += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0, 0, 0, 0, 52, 32, 0, 40, 0, 0)
open(sys.argv[2], "wb").write(head + b"program of %d bits" % (64 if wide else 32))
PYTHON
}

bed_multi() { # ARCH CLASS
	bed_elf "$2" "$bed/multi-$2"
	bed_small_spec multi 1.0 "mkdir -p usr/bin; cp $bed/multi-$2 usr/bin/multi; chmod 755 usr/bin/multi
		touch -d '2024-03-0$((${2%?} % 3 + 1)) UTC' usr/bin/multi
		mkdir -p usr/share/multi; echo common >usr/share/multi/common
		touch -d '2024-03-01 UTC' usr/share/multi/common" \
		'/usr/bin/multi
/usr/share/multi/common' >"$bed/multi.spec"
	bed_build "$bed/multi.spec" --target "$1"
}

bed_pair() { # NAME: NAME-a and NAME-b have the path /usr/share/NAME
	local half
	for half in a b; do
		bed_small_spec "$1-$half" 1.0 "mkdir -p usr/share; echo '$2$([ "$1" = share ] || echo $half)' >usr/share/$1
			touch -d '2024-03-0$([ $half = a ] && echo 1 || echo 2) UTC' usr/share/$1" "/usr/share/$1" >"$bed/pair.spec"
		bed_build "$bed/pair.spec" --target noarch
	done
}

bed_package() { # DIR NAME KEY FILE...: empty files but for their names
	local name=$2 key=$3 install='' files='' file
	bed=$1
	shift 3
	for file; do
		install+="mkdir -p .$(dirname "$file"); echo '$file' >.$file; touch -d '2024-03-01 UTC' .$file
"
		files+="%attr(0755,root,root) $file
"
	done
	bed_small_spec "$name" "${VERSION:-1.0}" "$install" "$files" >"$bed/one.spec"
	bed_build "$bed/one.spec" --target noarch
	bed_sign "$key" "$bed/build/RPMS/$name-noarch.rpm"
	echo "$bed/build/RPMS/$name-noarch.rpm"
}

# With digests of the given kind (FILEDIGESTALGO), a program and configuration.
bed_digests() { # NAME ALGORITHM
	bed_elf 64 "$bed/elf"
	bed_small_spec "$1" 1.0 "mkdir -p usr/bin etc; cp $bed/elf usr/bin/$1; echo '$1' >etc/$1.conf; echo '$1' >usr/bin/$1-plain
		ln usr/bin/$1-plain usr/bin/$1-again; ln -s $1 usr/bin/$1-link; chmod 755 usr/bin/*
		touch -h -d '2024-03-01 12:00:00 UTC' usr/bin/* etc/*" "/usr/bin/*
%config /etc/$1.conf
%ghost /etc/$1.cache" >"$bed/digests.spec"
	sed -i "s/%{buildroot}/&; mkdir -p etc; : >etc\/$1.cache/" "$bed/digests.spec"
	bed_build "$bed/digests.spec" --target x86_64 --define "_binary_filedigest_algorithm $2"
}

bed_moved() {
	bed_small_spec moved 1.0 'mkdir -p opt/moved/bin; echo tool >opt/moved/bin/tool; echo config >opt/moved/config
		find opt/moved -exec touch -d "2024-03-01 12:00:00 UTC" {} +' '%dir /opt/moved
/opt/moved/bin
%config /opt/moved/config' | sed 's|^License|Prefix: /opt/moved\n&|' >"$bed/moved.spec"
	bed_build "$bed/moved.spec" --target noarch
}

# A file of more than 4 GiB makes the sizes of all 64 bits wide. Nothing of a ghost is packed or read.
bed_huge() {
	bed_small_spec huge 1.0 'mkdir -p usr/share/huge; echo small >usr/share/huge/small
		truncate -s 5G usr/share/huge/ghost; touch -d "2024-03-01 12:00:00 UTC" usr/share/huge/*' \
		'/usr/share/huge/small
%ghost /usr/share/huge/ghost' >"$bed/huge.spec"
	bed_build "$bed/huge.spec" --target noarch
}

bed_root() { # ROOT: what a root has before its first package
	mkdir -p "$1"/{etc,proc,dev,tmp,var/lib/rpm,usr/bin,usr/lib64,usr/lib/sysimage}
	chmod 1777 "$1/tmp"
	ln -s usr/lib64 "$1/lib64"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1:daemon:/:/bin/false >"$1/etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: mail:x:8: >"$1/etc/group"
	printf '%s\n' ID=bed VERSION_ID=1 'PRETTY_NAME="Test bed 1"' >"$1/etc/os-release"
}

bed_make() { # DIR
	bed=$1
	mkdir -p "$bed/build" "$bed/keys" "$bed/gnupg"
	chmod 700 "$bed/gnupg"
	export GNUPGHOME=$bed/gnupg
	: >"$bed/log"
	bed_key vendor rsa2048
	bed_key other rsa2048
	bed_key stranger rsa2048
	bed_core_spec >"$bed/core.spec"
	bed_build "$bed/core.spec"
	bed_multi i686 32
	bed_multi x86_64 64
	bed_pair share same
	bed_pair keep of-
	bed_digests old 1
	bed_digests sums 10
	bed_moved
	bed_huge
	bed_sign vendor "$bed"/build/RPMS/*.rpm
	bed_root "$bed/root"
	bed_install core-x86_64 docs-x86_64 net-x86_64 share-a-noarch share-b-noarch keep-a-noarch
	bed_install multi-i686 multi-x86_64
	bed_install old-x86_64 huge-noarch
	bed_rpm "$bed/root" --nodeps --noscripts --replacefiles -i "$bed/build/RPMS/keep-b-noarch.rpm" >>"$bed/log" 2>&1
}

bed_install() { # NAME-ARCH...
	local files=() name
	for name; do
		files+=("$bed/build/RPMS/$name.rpm")
	done
	bed_rpm "$bed/root" --nodeps --noscripts --ignorearch --excludedocs -i "${files[@]}" >>"$bed/log" 2>&1
}

# shellcheck disable=SC2154
bed_host() { # OUT
	bed_out=$1
	root=$1/root
	mkdir -p "$1/bin" "$1/over" "$root"
	mount -t tmpfs -o mode=755 bed "$1/over"
	mkdir "$1/over/up" "$1/over/work"
	mount -t overlay bed -o "lowerdir=$bed/root,upperdir=$1/over/up,workdir=$1/over/work" "$root"
	# The probe is looked for beside the program: there a script stands that goes into the root first.
	ln "$build/bin/muster" "$1/bin/muster" 2>/dev/null || cp "$build/bin/muster" "$1/bin/muster"
	cp "$build/bin/probe-$(uname -m)" "$root/.probe"
	printf '#!/bin/sh\nexec chroot "%s" /.probe "$@"\n' "$root" >"$1/bin/probe-$(uname -m)"
	chmod 755 "$1/bin/probe-$(uname -m)"
}

bed_muster() {
	local verb=$1
	shift
	HOME=$bed_out XDG_CONFIG_HOME=$bed_out XDG_STATE_HOME=$bed_out NO_COLOR=1 \
		"$bed_out/bin/muster" "$verb" --db "$bed_out/db" "$@"
}

bed_end() {
	[ -z "${bed:-}" ] || gpgconf --homedir "$bed/gnupg" --kill all 2>/dev/null || true
}
