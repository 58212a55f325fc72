// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/baselines/import/apt_archive.h"

static const char script[] =
	"set -e\n"
	"export GNUPGHOME=$PWD/gpg; mkdir -m 700 gpg\n"
	"for d in p n; do dpkg-deb --root-owner-group -b $d $d.deb; done\n"
	"for k in one two; do gpg --batch --passphrase '' --quick-gen-key $k ed25519\n"
	"gpg --export $k >$k.gpg; gpg --armor --export $k >$k.asc; done\n"
	"gpg --batch --passphrase '' --faked-system-time 20200101T000000 --quick-gen-key old "
	"ed25519 default 2020-01-03\n"
	"gpg --export old >old.gpg\n"
	"gpg --list-keys --with-colons one | sed -n 's/^fpr:*\\([0-9A-F]*\\):/\\1/p' | head -1 "
	">fpr\n"
	"stanza() { printf 'Package: %s\\nVersion: 1\\nArchitecture: all\\nFilename: pool/%s.deb\\n"
	"Size: %s\\nSHA256: %s\\n\\n' $1 $1 $(stat -c %s $1.deb) $(sha256sum <$1.deb | cut -c-64); "
	"}\n"
	"{ stanza p; stanza n; } >Packages\n"
	"xz -k Packages\n"
	"release() { printf 'Origin: My Site\\nSuite: stable\\nDate: Sat, 21 Nov 2026 00:00:00 "
	"UTC\\n"
	"%sSHA256:\\n' \"$1\"; for f in Packages.xz Packages; do printf ' %s %s "
	"main/binary-amd64/%s\\n' $(sha256sum <$f | cut -c-64) $(stat -c %s $f) $f; done; }\n"
	"release '' >Release\n"
	"gpg --batch -u one -o InRelease --clearsign Release\n"
	"gpg --batch -u one -o Release.gpg --armor --detach-sign Release\n"
	"gpg --batch -u old --faked-system-time 20200101T010000 -o AgedRelease --clearsign "
	"Release\n"
	"release 'Valid-Until: Sat, 31 Oct 2026 00:00:00 UTC\n' >Old\n"
	"gpg --batch -u one -o OldRelease --clearsign Old\n"
	"sed s/My/By/ InRelease >BadRelease\n"
	"{ echo 'Origin: Evil'; cat InRelease; echo 'Origin: Evil'; } >AroundRelease\n"
	"mkdir -p m/dists/stable/main/binary-amd64 m/pool c/archives c/lists\n"
	"ln -s stable m/dists/now; cp InRelease m/dists/stable/\n"
	"cp Packages Packages.xz m/dists/stable/main/binary-amd64/; cp p.deb n.deb m/pool/\n"
	"cp InRelease c/lists/host.example_dists_stable_InRelease\n"
	"cp Packages c/lists/host.example_dists_stable_main_binary-amd64_Packages\n"
	"cp p.deb c/archives/p_1_all.deb; cp n.deb c/archives/n_1_all.deb\n"
	"gpgconf --kill all\n";

void apt_archive_make(struct fixture *f)
{
	fixture_folder(f);
	fixture_write(f, "p/DEBIAN/control",
		      "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
		      "Description: x\n");
	fixture_write(f, "p/DEBIAN/md5sums",
		      "5d41402abc4b2a76b9719d911017c592  usr/share/p/file\n");
	fixture_write(f, "p/usr/share/p/file", "hello");
	fixture_write(f, "n/DEBIAN/control",
		      "Package: n\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
		      "Description: x\n");
	fixture_write(f, "n/usr/share/n/file", "hello");
	fixture_write(f, "make", script);
	if (fixture_run(f, "command -v gpg gpgv dpkg-deb xz >/dev/null") != 0) {
		fixture_remove(f);
		print_message("skipped: no gpg, gpgv, dpkg-deb or xz\n");
		skip();
	}
	assert_int_equal(fixture_run(f, "sh make >log 2>&1 || { cat log >&2; false; }"), 0);
}

const char *apt_archive_in(const struct fixture *f, const char *name, char to[256])
{
	(void)snprintf(to, 256, "%s/%s", f->path, name);
	return to;
}
