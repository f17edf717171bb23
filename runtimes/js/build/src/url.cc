// URLs, by ada, as Node's own binding has them.
#include "ada.h"

#include <cstring>
#include <string>
#include <string_view>

#include "url.h"

namespace {

std::string_view view(const char *bytes, size_t size) { return {bytes, size}; }

char *give(const std::string &text, size_t *size)
{
	char *copy = static_cast<char *>(malloc(text.size() + 1));
	if (copy) {
		memcpy(copy, text.data(), text.size());
		copy[text.size()] = 0;
		*size = text.size();
	}
	return copy;
}

char *answer(const ada::url_aggregator &url, uint32_t parts[9], size_t *size)
{
	const ada::url_components &c = url.get_components();
	const uint32_t all[9] = {c.protocol_end, c.username_end, c.host_start, c.host_end, c.port, c.pathname_start,
		c.search_start, c.hash_start, static_cast<uint32_t>(url.type)};
	memcpy(parts, all, sizeof all);
	return give(std::string(url.get_href()), size);
}

} // namespace

extern "C" char *url_parse(const char *input, size_t input_len, const char *base, size_t base_len, uint32_t parts[9],
	size_t *size)
{
	ada::result<ada::url_aggregator> from;
	if (base) {
		from = ada::parse<ada::url_aggregator>(view(base, base_len));
		if (!from)
			return nullptr;
	}
	auto url = ada::parse<ada::url_aggregator>(view(input, input_len), base ? &from.value() : nullptr);
	return url ? answer(*url, parts, size) : nullptr;
}

extern "C" char *url_update(const char *href, size_t href_len, int action, const char *value, size_t value_len,
	uint32_t parts[9], size_t *size)
{
	auto url = ada::parse<ada::url_aggregator>(view(href, href_len));
	if (!url)
		return nullptr;
	std::string_view to = view(value, value_len);
	bool done = true;
	switch (action) {
	case 0: done = url->set_protocol(to); break;
	case 1: done = url->set_host(to); break;
	case 2: done = url->set_hostname(to); break;
	case 3: done = url->set_port(to); break;
	case 4: done = url->set_username(to); break;
	case 5: done = url->set_password(to); break;
	case 6: done = url->set_pathname(to); break;
	case 7: url->set_search(to); break;
	case 8: url->set_hash(to); break;
	case 9: done = url->set_href(to); break;
	}
	if (!done && action == 9)
		return nullptr;
	return answer(*url, parts, size);
}

extern "C" char *url_format(const char *href, size_t href_len, int hash, int unicode, int search, int auth, size_t *size)
{
	auto url = ada::parse<ada::url>(view(href, href_len));
	if (!url)
		return nullptr;
	if (!hash)
		url->hash = std::nullopt;
	if (unicode && url->has_hostname())
		url->host = ada::idna::to_unicode(url->get_hostname());
	if (!search)
		url->query = std::nullopt;
	if (!auth) {
		url->username = "";
		url->password = "";
	}
	return give(url->get_href(), size);
}

extern "C" char *url_domain(const char *domain, size_t domain_len, int unicode, size_t *size)
{
	std::string name(domain, domain_len);
	if (name.empty())
		return give("", size);
	auto url = ada::parse<ada::url>("ws://" + name);
	if (!url)
		return give("", size);
	return give(unicode ? ada::idna::to_unicode(url->get_hostname()) : url->get_hostname(), size);
}
