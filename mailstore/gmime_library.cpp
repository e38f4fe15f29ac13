// GMime, loaded when the first message needs it. Linked as usual it brings twenty libraries with it, whose loading
// takes longer than all that a run without news has to do. Each function that mailstore calls is defined here under its
// own name, so the headers check its type; the first call looks the real one up.
#include "mailstore/library/late_library.h"

#include <gmime/gmime.h>

namespace {

template <class Function>
Function* function(const char* name) {
  static const mailbraid::mailstore::LateLibrary library("libgmime-3.0.so.0", "libgmime-3.0-0");
  // GLib's functions, too: they are looked for in what the library itself was linked with.
  Function* found = nullptr;
  library.find(found, name);
  return found;
}

}  // namespace

// The type of a function is taken from its declaration.
#define MAILBRAID_FORWARD(result, name, parameters, arguments)  \
  result name parameters {                                      \
    static const auto target = function<decltype(name)>(#name); \
    return target arguments;                                    \
  }

extern "C" {
MAILBRAID_FORWARD(int, g_ascii_strcasecmp, (const char* a, const char* b), (a, b))
#undef g_free
MAILBRAID_FORWARD(void, g_free, (gpointer memory), (memory))
MAILBRAID_FORWARD(char*, g_utf8_make_valid, (const char* text, gssize length), (text, length))
MAILBRAID_FORWARD(void, g_object_unref, (gpointer object), (object))
MAILBRAID_FORWARD(GTypeInstance*, g_type_check_instance_cast, (GTypeInstance * instance, GType type), (instance, type))
MAILBRAID_FORWARD(gboolean, g_type_check_instance_is_a, (GTypeInstance * instance, GType type), (instance, type))
MAILBRAID_FORWARD(char*, g_mime_content_type_get_mime_type, (GMimeContentType * type), (type))
MAILBRAID_FORWARD(gboolean, g_mime_content_type_is_type, (GMimeContentType * type, const char* main, const char* sub),
                  (type, main, sub))
MAILBRAID_FORWARD(ssize_t, g_mime_data_wrapper_write_to_stream, (GMimeDataWrapper * data, GMimeStream* stream),
                  (data, stream))
MAILBRAID_FORWARD(GMimeFilter*, g_mime_filter_charset_new, (const char* from, const char* to), (from, to))
MAILBRAID_FORWARD(const char*, g_mime_header_get_raw_value, (GMimeHeader * header), (header))
MAILBRAID_FORWARD(GMimeHeader*, g_mime_header_list_get_header, (GMimeHeaderList * list, const char* name), (list, name))
MAILBRAID_FORWARD(void, g_mime_init, (), ())
MAILBRAID_FORWARD(GMimeObject*, g_mime_message_get_mime_part, (GMimeMessage * message), (message))
MAILBRAID_FORWARD(void, g_mime_multipart_foreach,
                  (GMimeMultipart * multipart, GMimeObjectForeachFunc visit, gpointer data), (multipart, visit, data))
MAILBRAID_FORWARD(GType, g_mime_multipart_get_type, (), ())
MAILBRAID_FORWARD(GMimeContentType*, g_mime_object_get_content_type, (GMimeObject * object), (object))
MAILBRAID_FORWARD(const char*, g_mime_object_get_content_type_parameter, (GMimeObject * object, const char* name),
                  (object, name))
MAILBRAID_FORWARD(const char*, g_mime_object_get_disposition, (GMimeObject * object), (object))
MAILBRAID_FORWARD(GMimeHeaderList*, g_mime_object_get_header_list, (GMimeObject * object), (object))
MAILBRAID_FORWARD(GType, g_mime_object_get_type, (), ())
MAILBRAID_FORWARD(GMimeMessage*, g_mime_parser_construct_message, (GMimeParser * parser, GMimeParserOptions* options),
                  (parser, options))
MAILBRAID_FORWARD(GMimeParser*, g_mime_parser_new_with_stream, (GMimeStream * stream), (stream))
MAILBRAID_FORWARD(GMimeParserOptions*, g_mime_parser_options_get_default, (), ())
MAILBRAID_FORWARD(GMimeDataWrapper*, g_mime_part_get_content, (GMimePart * part), (part))
MAILBRAID_FORWARD(const char*, g_mime_part_get_filename, (GMimePart * part), (part))
MAILBRAID_FORWARD(GType, g_mime_part_get_type, (), ())
MAILBRAID_FORWARD(int, g_mime_stream_filter_add, (GMimeStreamFilter * stream, GMimeFilter* filter), (stream, filter))
MAILBRAID_FORWARD(GType, g_mime_stream_filter_get_type, (), ())
MAILBRAID_FORWARD(GMimeStream*, g_mime_stream_filter_new, (GMimeStream * stream), (stream))
MAILBRAID_FORWARD(int, g_mime_stream_flush, (GMimeStream * stream), (stream))
MAILBRAID_FORWARD(GByteArray*, g_mime_stream_mem_get_byte_array, (GMimeStreamMem * stream), (stream))
MAILBRAID_FORWARD(GType, g_mime_stream_mem_get_type, (), ())
MAILBRAID_FORWARD(GMimeStream*, g_mime_stream_mem_new, (), ())
MAILBRAID_FORWARD(GMimeStream*, g_mime_stream_mem_new_with_buffer, (const char* octets, std::size_t length),
                  (octets, length))
MAILBRAID_FORWARD(char*, g_mime_utils_header_decode_text, (GMimeParserOptions * options, const char* text),
                  (options, text))
MAILBRAID_FORWARD(char*, g_mime_utils_header_unfold, (const char* text), (text))
}
