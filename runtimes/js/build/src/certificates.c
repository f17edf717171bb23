// Certificates of X.509, and what Node calls SPKAC.
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "keys.h"
#include "system.h"

#define NUMBER(at) system_number(ctx, argc, argv, at, 0)
#define FUNCTION(name) static JSValue name(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)

static JSClassID certificate_class;

static void certificate_finalizer(JSRuntime *rt, JSValueConst value) { X509_free(JS_GetOpaque(value, certificate_class)); }
static const JSClassDef certificate_def = {"Certificate", .finalizer = certificate_finalizer};

static X509 *certificate_of(JSContext *ctx, JSValueConst value)
{
	ERR_clear_error();
	return JS_GetOpaque2(ctx, value, certificate_class);
}

// certificate(PEM or DER): undefined if it is none.
FUNCTION(certificate)
{
	size_t size;
	const uint8_t *bytes = engine_bytes(ctx, argv[0], &size);
	if (!bytes)
		return JS_EXCEPTION;
	ERR_clear_error();
	BIO *bio = BIO_new_mem_buf(bytes, (int)size);
	X509 *x = bio ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
	if (!x)
		x = d2i_X509(NULL, &bytes, (long)size);
	BIO_free(bio);
	if (!x)
		return JS_UNDEFINED;
	JSValue object = JS_NewObjectClass(ctx, certificate_class);
	JS_SetOpaque(object, x);
	return object;
}

static void add(JSContext *ctx, JSValueConst list, uint32_t *at, JSValue value)
{
	JS_DefinePropertyValueUint32(ctx, list, (*at)++, value, JS_PROP_C_W_E);
}

// name_parts answers a name's parts, key and value by turns.
static JSValue name_parts(JSContext *ctx, X509_NAME *name)
{
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		ASN1_OBJECT *object = X509_NAME_ENTRY_get_object(entry);
		char key[80];
		int nid = OBJ_obj2nid(object);
		if (nid == NID_undef)
			OBJ_obj2txt(key, sizeof key, object, 1);
		unsigned char *text = NULL;
		int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
		if (size < 0)
			continue;
		add(ctx, list, &at, JS_NewString(ctx, nid == NID_undef ? key : OBJ_nid2sn(nid)));
		add(ctx, list, &at, JS_NewStringLen(ctx, (char *)text, size));
		OPENSSL_free(text);
	}
	return list;
}

// printed gives what a BIO has got, and empties it.
static JSValue printed(JSContext *ctx, BIO *bio)
{
	char *text;
	long size = BIO_get_mem_data(bio, &text);
	JSValue result = JS_NewStringLen(ctx, text, size > 0 ? size : 0);
	(void)BIO_reset(bio);
	return result;
}

// add_other adds a name of a kind that is not X.509's own, after that of which RFC it is, if it is known.
static void add_other(JSContext *ctx, JSValueConst list, uint32_t *at, const OTHERNAME *name)
{
	static const struct { int nid, type; const char *kind; } known[] = {
		{NID_id_on_SmtpUTF8Mailbox, V_ASN1_UTF8STRING, "othername:SmtpUTF8Mailbox"}, {NID_XmppAddr, V_ASN1_UTF8STRING, "othername:XmppAddr"},
		{NID_SRVName, V_ASN1_IA5STRING, "othername:SRVName"}, {NID_ms_upn, V_ASN1_UTF8STRING, "othername:UPN"},
		{NID_NAIRealm, V_ASN1_UTF8STRING, "othername:NAIRealm"},
	};
	int nid = OBJ_obj2nid(name->type_id);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].nid != nid || known[i].type != name->value->type)
			continue;
		const ASN1_STRING *text = name->value->value.asn1_string;
		add(ctx, list, at, JS_NewString(ctx, known[i].kind));
		add(ctx, list, at, known[i].type == V_ASN1_UTF8STRING ? engine_utf8(ctx, text->data, text->length) : engine_latin1(ctx, text->data, text->length));
		return;
	}
	add(ctx, list, at, JS_NewString(ctx, "othername"));
	add(ctx, list, at, JS_UNDEFINED);
}

// add_general adds a name's kind and value: bytes of an address, else text, undefined where it can't be told.
static void add_general(JSContext *ctx, JSValueConst list, uint32_t *at, const GENERAL_NAME *name)
{
	const char *kind = name->type == GEN_DNS ? "DNS" : name->type == GEN_URI ? "URI" : name->type == GEN_EMAIL ? "email" : NULL;
	if (name->type == GEN_OTHERNAME) {
		add_other(ctx, list, at, name->d.otherName);
	} else if (name->type == GEN_X400 || name->type == GEN_EDIPARTY) {
		add(ctx, list, at, JS_NewString(ctx, name->type == GEN_X400 ? "X400Name" : "EdiPartyName"));
		add(ctx, list, at, JS_UNDEFINED);
	} else if (name->type == GEN_RID) {
		char number[256];
		add(ctx, list, at, JS_NewString(ctx, "Registered ID"));
		add(ctx, list, at, OBJ_obj2txt(number, sizeof number, name->d.rid, 1) < 0 ? JS_UNDEFINED : JS_NewString(ctx, number));
	} else if (name->type == GEN_DIRNAME) {
		BIO *bio = BIO_new(BIO_s_mem());
		if (bio)
			X509_NAME_print_ex(bio, name->d.dirn, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB & ~ASN1_STRFLGS_ESC_CTRL);
		add(ctx, list, at, JS_NewString(ctx, "DirName"));
		add(ctx, list, at, bio ? printed(ctx, bio) : JS_UNDEFINED);
		BIO_free(bio);
	} else if (name->type == GEN_IPADD) {
		add(ctx, list, at, JS_NewString(ctx, "IP Address"));
		add(ctx, list, at, JS_NewUint8ArrayCopy(ctx, name->d.iPAddress->data, name->d.iPAddress->length));
	} else if (kind) {
		add(ctx, list, at, JS_NewString(ctx, kind));
		add(ctx, list, at, engine_latin1(ctx, name->d.ia5->data, name->d.ia5->length));
	}
}

// other_names answers the names that a certificate is for beside its subject, kind and value by turns.
static JSValue other_names(JSContext *ctx, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
		add_general(ctx, list, &at, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	return list;
}

// access_places answers where there is more to be had about a certificate: method, kind and value by turns.
static JSValue access_places(JSContext *ctx, X509 *x)
{
	AUTHORITY_INFO_ACCESS *places = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (int i = 0; places && i < sk_ACCESS_DESCRIPTION_num(places); i++) {
		const ACCESS_DESCRIPTION *place = sk_ACCESS_DESCRIPTION_value(places, i);
		char method[80];
		i2t_ASN1_OBJECT(method, sizeof method, place->method);
		uint32_t begin = at++;
		add_general(ctx, list, &at, place->location);
		if (at == begin + 1)
			at = begin;
		else
			JS_DefinePropertyValueUint32(ctx, list, begin, JS_NewString(ctx, method), JS_PROP_C_W_E);
	}
	AUTHORITY_INFO_ACCESS_free(places);
	return list;
}

// usages answers the numbers of what a certificate's key is for, or undefined.
static JSValue usages(JSContext *ctx, X509 *x)
{
	EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	if (!uses)
		return JS_UNDEFINED;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	for (int i = 0; i < sk_ASN1_OBJECT_num(uses); i++) {
		char number[256];
		if (OBJ_obj2txt(number, sizeof number, sk_ASN1_OBJECT_value(uses, i), 1) >= 0)
			add(ctx, list, &at, JS_NewString(ctx, number));
	}
	EXTENDED_KEY_USAGE_free(uses);
	return list;
}

// certificateParts(certificate): subject, issuer, other names, from, to, serial number, whether an authority, places to
// ask, usages, DER.
FUNCTION(certificate_parts)
{
	X509 *x = certificate_of(ctx, argv[0]);
	BIO *bio = x ? BIO_new(BIO_s_mem()) : NULL;
	if (!bio)
		return JS_EXCEPTION;
	JSValue list = JS_NewArray(ctx);
	uint32_t at = 0;
	add(ctx, list, &at, name_parts(ctx, X509_get_subject_name(x)));
	add(ctx, list, &at, name_parts(ctx, X509_get_issuer_name(x)));
	add(ctx, list, &at, other_names(ctx, x));
	ASN1_TIME_print(bio, X509_get0_notBefore(x));
	add(ctx, list, &at, printed(ctx, bio));
	ASN1_TIME_print(bio, X509_get0_notAfter(x));
	add(ctx, list, &at, printed(ctx, bio));
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *digits = serial ? BN_bn2hex(serial) : NULL;
	add(ctx, list, &at, JS_NewString(ctx, digits ? digits : ""));
	OPENSSL_free(digits);
	BN_free(serial);
	add(ctx, list, &at, JS_NewBool(ctx, X509_check_ca(x) == 1));
	add(ctx, list, &at, access_places(ctx, x));
	add(ctx, list, &at, usages(ctx, x));
	unsigned char *der = NULL;
	int size = i2d_X509(x, &der);
	add(ctx, list, &at, JS_NewUint8ArrayCopy(ctx, der, size > 0 ? size : 0));
	OPENSSL_free(der);
	BIO_free(bio);
	ERR_clear_error();
	return list;
}

// certificateText(certificate, what): PEM, subject or issuer, the latter with a line for each part.
FUNCTION(certificate_text)
{
	X509 *x = certificate_of(ctx, argv[0]);
	BIO *bio = x ? BIO_new(BIO_s_mem()) : NULL;
	const char *what = bio ? JS_ToCString(ctx, argv[1]) : NULL;
	if (!what) {
		BIO_free(bio);
		return JS_EXCEPTION;
	}
	const int flags = ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT | XN_FLAG_SEP_MULTILINE | XN_FLAG_FN_SN;
	if (strcmp(what, "pem") == 0)
		PEM_write_bio_X509(bio, x);
	else
		X509_NAME_print_ex(bio, strcmp(what, "issuer") == 0 ? X509_get_issuer_name(x) : X509_get_subject_name(x), 0, flags);
	JS_FreeCString(ctx, what);
	JSValue result = printed(ctx, bio);
	BIO_free(bio);
	return result;
}

FUNCTION(certificate_key)
{
	X509 *x = certificate_of(ctx, argv[0]);
	return x ? key_object(ctx, X509_get_pubkey(x)) : JS_EXCEPTION;
}

// certificateFor(certificate, "host", "email" or "ip", name, flags): the name that it has, true for other kinds than hosts;
// undefined if it is for another, null if that is no name.
FUNCTION(certificate_for)
{
	X509 *x = certificate_of(ctx, argv[0]);
	const char *what = x ? JS_ToCString(ctx, argv[1]) : NULL;
	size_t size;
	const char *name = what ? JS_ToCStringLen(ctx, &size, argv[2]) : NULL;
	char *found = NULL;
	int answer = 0;
	if (name && strcmp(what, "host") == 0)
		answer = X509_check_host(x, name, size, (unsigned)NUMBER(3), &found);
	else if (name && strcmp(what, "email") == 0)
		answer = X509_check_email(x, name, size, (unsigned)NUMBER(3));
	else if (name)
		answer = X509_check_ip_asc(x, name, (unsigned)NUMBER(3));
	JSValue result = !name ? JS_EXCEPTION : answer == 0 ? JS_UNDEFINED : answer < 0 ? JS_NULL : found ? JS_NewString(ctx, found) : JS_TRUE;
	OPENSSL_free(found);
	JS_FreeCString(ctx, name);
	JS_FreeCString(ctx, what);
	ERR_clear_error();
	return result;
}

// certificateIssued(certificate, other): whether the other has issued it.
FUNCTION(certificate_issued)
{
	X509 *x = certificate_of(ctx, argv[0]), *other = x ? certificate_of(ctx, argv[1]) : NULL;
	return other ? JS_NewBool(ctx, X509_check_issued(other, x) == X509_V_OK) : JS_EXCEPTION;
}

// certificateMatches(certificate, key, whether it is to have signed it): else whether it is the one that it is for.
FUNCTION(certificate_matches)
{
	X509 *x = certificate_of(ctx, argv[0]);
	EVP_PKEY *key = x ? key_of(ctx, argv[1]) : NULL;
	if (!key)
		return JS_EXCEPTION;
	int answer = JS_ToBool(ctx, argv[2]) ? X509_verify(x, key) : X509_check_private_key(x, key);
	ERR_clear_error();
	return JS_NewBool(ctx, answer == 1);
}

// spkac(text, what): whether it is signed as it says for 0, its key as PEM for 1, its challenge for 2; undefined where
// there is none.
FUNCTION(spkac)
{
	size_t size;
	const char *text = (const char *)engine_bytes(ctx, argv[0], &size);
	if (!text)
		return JS_EXCEPTION;
	int what = (int)NUMBER(1);
	NETSCAPE_SPKI *s = size ? NETSCAPE_SPKI_b64_decode(text, (int)size) : NULL;
	EVP_PKEY *key = s && what < 2 ? NETSCAPE_SPKI_get_pubkey(s) : NULL;
	JSValue result = what == 0 ? JS_FALSE : JS_UNDEFINED;
	if (key && what == 0)
		result = JS_NewBool(ctx, NETSCAPE_SPKI_verify(s, key) > 0);
	BIO *bio = key && what == 1 ? BIO_new(BIO_s_mem()) : NULL;
	if (bio && PEM_write_bio_PUBKEY(bio, key) > 0)
		result = printed(ctx, bio);
	unsigned char *challenge = NULL;
	int length = s && what == 2 ? ASN1_STRING_to_UTF8(&challenge, s->spkac->challenge) : -1;
	if (length >= 0)
		result = JS_NewStringLen(ctx, (char *)challenge, length);
	OPENSSL_free(challenge);
	BIO_free(bio);
	EVP_PKEY_free(key);
	NETSCAPE_SPKI_free(s);
	ERR_clear_error();
	return result;
}

static const struct js_entry functions[] = {
	{"certificate", certificate, 1}, {"certificateParts", certificate_parts, 1}, {"certificateText", certificate_text, 2},
	{"certificateKey", certificate_key, 1}, {"certificateFor", certificate_for, 4}, {"certificateIssued", certificate_issued, 2},
	{"certificateMatches", certificate_matches, 3}, {"spkac", spkac, 2},
};

void certificates_install(JSContext *ctx, JSValueConst object)
{
	JSRuntime *rt = JS_GetRuntime(ctx);
	JS_NewClassID(rt, &certificate_class);
	JS_NewClass(rt, certificate_class, &certificate_def);
	engine_add(ctx, object, functions, COUNT(functions));
}
