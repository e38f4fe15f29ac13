#include "mailstore/message_text.h"

#include "mailstore/header_decode.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <array>
#include <memory>

namespace mailbraid::mailstore {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

struct Free {
  void operator()(char* text) const { g_free(text); }
};
using OwnedText = std::unique_ptr<char, Free>;

constexpr std::array<const char*, 6> kFields{"From", "To", "Cc", "Reply-To", "Date", "Subject"};

/// What the parts of a message are gathered into.
struct Gathering {
  MessageText& out;
  std::size_t textLimit;
  std::size_t partLimit;
  std::size_t parts = 0;
  GMimePart* text = nullptr;  ///< the part that out.text will be; owned by the message
};

void addAttachment(Gathering& gathering, GMimeObject* object) {
  MessageText::Attachment attachment;
  OwnedText type(g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object)));
  if (type) attachment.type = type.get();
  if (GMIME_IS_PART(object)) {
    if (const char* name = g_mime_part_get_filename(GMIME_PART(object))) attachment.name = name;
  }
  gathering.out.attachments.push_back(std::move(attachment));
}

bool isAttached(GMimeObject* object) {
  const char* disposition = g_mime_object_get_disposition(object);
  return disposition != nullptr && g_ascii_strcasecmp(disposition, "attachment") == 0;
}

void visitPart(GMimeObject*, GMimeObject* object, gpointer data) {
  auto& gathering = *static_cast<Gathering*>(data);
  if (GMIME_IS_MULTIPART(object) || ++gathering.parts > gathering.partLimit) return;
  GMimeContentType* type = g_mime_object_get_content_type(object);
  const bool text = GMIME_IS_PART(object) && g_mime_content_type_is_type(type, "text", "*") && !isAttached(object);
  if (!text) {
    addAttachment(gathering, object);
    return;
  }
  const bool plain = g_mime_content_type_is_type(type, "text", "plain");
  const bool havePlain = gathering.out.textType == "text/plain";
  if (gathering.text != nullptr && (havePlain || !plain)) {
    addAttachment(gathering, object);
    return;
  }
  // text/plain after text/html: the plain one is shown, the other one is named.
  if (gathering.text != nullptr) addAttachment(gathering, GMIME_OBJECT(gathering.text));
  gathering.text = GMIME_PART(object);
  OwnedText name(g_mime_content_type_get_mime_type(type));
  gathering.out.textType = name ? name.get() : "text/plain";
}

/// The decoded octets of a part in UTF-8, as far as `limit`.
std::string decodedText(GMimePart* part, std::size_t limit, bool& cut) {
  GMimeDataWrapper* content = g_mime_part_get_content(part);
  if (content == nullptr) return {};
  const Owned<GMimeStream> memory(g_mime_stream_mem_new());
  const Owned<GMimeStream> filtered(g_mime_stream_filter_new(memory.get()));
  const char* charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
  if (charset != nullptr && g_ascii_strcasecmp(charset, "utf-8") != 0) {
    // A character set that nobody knows leaves the octets as they are.
    if (GMimeFilter* filter = g_mime_filter_charset_new(charset, "utf-8")) {
      g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered.get()), filter);
      g_object_unref(filter);
    }
  }
  g_mime_data_wrapper_write_to_stream(content, filtered.get());
  g_mime_stream_flush(filtered.get());
  const GByteArray* octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory.get()));
  if (octets == nullptr || octets->data == nullptr) return {};
  cut = octets->len > limit;
  return {reinterpret_cast<const char*>(octets->data), std::min<std::size_t>(octets->len, limit)};
}

void readFields(GMimeObject* message, MessageText& out) {
  GMimeHeaderList* headers = g_mime_object_get_header_list(message);
  for (const char* name : kFields) {
    GMimeHeader* header = g_mime_header_list_get_header(headers, name);
    if (header == nullptr) continue;
    const char* raw = g_mime_header_get_raw_value(header);
    if (raw == nullptr) continue;
    const OwnedText unfolded(g_mime_utils_header_unfold(raw));
    const OwnedText decoded(g_mime_utils_header_decode_text(g_mime_parser_options_get_default(), unfolded.get()));
    if (!decoded) continue;
    std::string value(decoded.get());
    const std::size_t first = std::min(value.find_first_not_of(" \t\r\n"), value.size());
    const std::size_t last = value.find_last_not_of(" \t\r\n");
    out.fields.emplace_back(name, last == std::string::npos ? std::string() : value.substr(first, last + 1 - first));
  }
}

}  // namespace

MessageText readableText(std::string_view octets, std::size_t textLimit, std::size_t partLimit) {
  ensureGMime();
  MessageText out;
  const Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(octets.data(), octets.size()));
  const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
  if (!message) return out;
  readFields(GMIME_OBJECT(message.get()), out);
  Gathering gathering{out, textLimit, partLimit};
  GMimeObject* body = g_mime_message_get_mime_part(message.get());
  if (body == nullptr) return out;
  if (GMIME_IS_MULTIPART(body)) {
    g_mime_multipart_foreach(GMIME_MULTIPART(body), visitPart, &gathering);
  } else {
    visitPart(nullptr, body, &gathering);
  }
  if (gathering.text != nullptr) out.text = decodedText(gathering.text, textLimit, out.cut);
  return out;
}

}  // namespace mailbraid::mailstore
