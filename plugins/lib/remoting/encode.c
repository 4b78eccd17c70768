/* SPDX-License-Identifier: Apache-2.0 */
/* Encoding headers. JSON members stand in the order in which Java writes them. */
#include "wire.h"

#include <json/json.h>
#include <remoting/codec.h>

enum {
	JSON_FIXED_MAX = 224,  /* all of a JSON header but remark and fields */
	JSON_FIELD_FIXED = 2,  /* its colon and comma */
	BINARY_FIXED = 21,     /* all of a binary header but remark and fields */
	BINARY_FIELD_FIXED = 6 /* its two lengths */
};

size_t remoting_encoded_max(const struct remoting_header *header)
{
	bool binary = header->serialization == REMOTING_BINARY;
	size_t max = REMOTING_PREFIX + (binary ? BINARY_FIXED : JSON_FIXED_MAX);

	if (header->remark.at)
		max += binary ? header->remark.size : json_quoted_size(header->remark);
	for (uint32_t i = 0; i < header->field_count; i++) {
		const struct gantry_field *field = &header->fields[i];

		if (binary)
			max += field->name.size + field->value.size + BINARY_FIELD_FIXED;
		else
			max += json_quoted_size(field->name) + json_quoted_size(field->value) +
			       JSON_FIELD_FIXED;
	}
	return max;
}

/* ---- JSON */

static char *put_json_fields(char *to, const struct remoting_header *header)
{
	bool any = false;

	for (uint32_t i = 0; i < header->field_count; i++) {
		const struct gantry_field *field = &header->fields[i];

		if (!field->value.at)
			continue;
		to = any ? WIRE_PUT(to, ",") : WIRE_PUT(to, ",\"extFields\":{");
		any = true;
		to = json_quote(to, field->name);
		*to++ = ':';
		to = json_quote(to, field->value);
	}
	return any ? WIRE_PUT(to, "}") : to;
}

static char *put_json(char *to, const struct remoting_header *header)
{
	const char *language = remoting_language_name(header->language);

	if (!language)
		language = remoting_language_name(REMOTING_OTHER);
	to = WIRE_PUT(to, "{\"code\":");
	to = wire_put_decimal(to, header->code);
	to = put_json_fields(to, header);
	to = WIRE_PUT(to, ",\"flag\":");
	to = wire_put_decimal(to, header->flag);
	to = WIRE_PUT(to, ",\"language\":\"");
	to = wire_put_bytes(to, language, strlen(language));
	to = WIRE_PUT(to, "\",\"opaque\":");
	to = wire_put_decimal(to, header->opaque);
	if (header->remark.at) {
		to = WIRE_PUT(to, ",\"remark\":");
		to = json_quote(to, header->remark);
	}
	to = WIRE_PUT(to, ",\"serializeTypeCurrentRPC\":\"JSON\",\"version\":");
	to = wire_put_decimal(to, header->version);
	return WIRE_PUT(to, "}");
}

/* ---- binary */

static char *put_text(char *to, struct gantry_str text)
{
	to = wire_put_u32(to, (uint32_t)text.size);
	return text.size ? wire_put_bytes(to, text.at, text.size) : to;
}

static char *put_binary(char *to, const struct remoting_header *header)
{
	char *fields;

	to = wire_put_u16(to, (uint16_t)header->code);
	*to++ = (char)(header->language < 0 ? REMOTING_OTHER : header->language);
	to = wire_put_u16(to, (uint16_t)header->version);
	to = wire_put_u32(to, (uint32_t)header->opaque);
	to = wire_put_u32(to, (uint32_t)header->flag);
	to = put_text(to, header->remark);
	fields = to;
	to += 4;
	for (uint32_t i = 0; i < header->field_count; i++) {
		const struct gantry_field *field = &header->fields[i];

		if (!field->value.at || field->name.size > INT16_MAX)
			continue;
		to = wire_put_u16(to, (uint16_t)field->name.size);
		to = wire_put_bytes(to, field->name.at, field->name.size);
		to = put_text(to, field->value);
	}
	wire_put_u32(fields, (uint32_t)(to - fields - 4));
	return to;
}

size_t remoting_encode(const struct remoting_header *header, size_t body_size, void *to)
{
	char *start = to, *from = start + REMOTING_PREFIX;
	char *end = header->serialization == REMOTING_BINARY ? put_binary(from, header)
							     : put_json(from, header);

	wire_put_prefix(start, header->serialization, (size_t)(end - from), body_size);
	return (size_t)(end - start);
}
