printf abc > f
md5sum f; sha1sum f; sha256sum f; sha512sum f | cut -c1-20; cksum f; b2sum f | cut -c1-16
sha256sum f > s; sha256sum -c s
base64 f; base64 -d <<< YWJj; echo; base32 f; xxd f 2>/dev/null | head -1
