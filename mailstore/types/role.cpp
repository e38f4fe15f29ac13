#include "mailstore/types/role.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mailbraid::mailstore {
namespace {

struct RoleWords {
  Role role;
  std::string_view name;
  std::string_view specialUse;  // RFC 6154 section 2; empty where there is none
};

constexpr std::array<RoleWords, 8> kRoles{{
    {Role::Inbox, "inbox", "\\Inbox"},  // not in the RFC; XLIST servers say it
    {Role::Sent, "sent", "\\Sent"},
    {Role::Drafts, "drafts", "\\Drafts"},
    {Role::Trash, "trash", "\\Trash"},
    {Role::Junk, "junk", "\\Junk"},
    {Role::Archive, "archive", "\\Archive"},
    {Role::All, "all", "\\All"},
    {Role::Flagged, "flagged", "\\Flagged"},
}};

// Other attributes that mean a role: Gmail's XLIST before RFC 6154.
constexpr std::array<std::pair<std::string_view, Role>, 4> kOtherAttributes{{
    {"\\allmail", Role::All},
    {"\\spam", Role::Junk},
    {"\\starred", Role::Flagged},
    {"\\important", Role::None},
}};

// In folded() form. Where the names come from:
//   T  Thunderbird's localised folders           O  Outlook and Exchange default folders of that language
//   A  Apple Mail (IMAP names are English)       G  Gmail, localised `[Gmail]/...`
//   R  Roundcube, Horde, SquirrelMail            P  large providers: GMX, WEB.DE, T-Online, Yahoo, Orange, Libero,
//   Yandex, QQ, 163
// A word that people use for mailboxes of their own ("old", "misc", "important") is not in here. `\All` and `\Flagged`
// are views that only a server can vouch for: a mailbox that is merely called "All" may hold mail that is nowhere else.
struct NamedRole {
  std::string_view name;
  Role role;
};
constexpr NamedRole kNames[] = {
    {"inbox", Role::Inbox},
    // English
    {"sent", Role::Sent},           // T R P
    {"sent items", Role::Sent},     // O
    {"sent messages", Role::Sent},  // A
    {"sent mail", Role::Sent},      // G
    {"sent-mail", Role::Sent},      // R, Pine
    {"sent email", Role::Sent},
    {"sent objects", Role::Sent},       // P: GMX's English
    {"drafts", Role::Drafts},           // T O A G
    {"draft", Role::Drafts},            // P: Yahoo
    {"trash", Role::Trash},             // T R
    {"bin", Role::Trash},               // G: British English
    {"deleted", Role::Trash},           // O: Outlook.com
    {"deleted items", Role::Trash},     // O
    {"deleted messages", Role::Trash},  // A
    {"junk", Role::Junk},               // T A
    {"junk e-mail", Role::Junk},        // O
    {"junk email", Role::Junk},         // O
    {"junk mail", Role::Junk},
    {"spam", Role::Junk},         // G R
    {"bulk mail", Role::Junk},    // P: Yahoo
    {"bulk", Role::Junk},         // P: Yahoo
    {"archive", Role::Archive},   // T O A
    {"archives", Role::Archive},  // T
    // German
    {"gesendet", Role::Sent},            // T P
    {"gesendete objekte", Role::Sent},   // O
    {"gesendete elemente", Role::Sent},  // O
    {"gesendete nachrichten", Role::Sent},
    {"entwürfe", Role::Drafts},           // T O G P
    {"papierkorb", Role::Trash},          // T G P
    {"gelöscht", Role::Trash},            // P
    {"gelöschte objekte", Role::Trash},   // O
    {"gelöschte elemente", Role::Trash},  // O
    {"spamverdacht", Role::Junk},         // P: GMX, WEB.DE
    {"spam-verdacht", Role::Junk},
    {"unerwünscht", Role::Junk},  // P
    {"unerwünschte werbung", Role::Junk},
    {"junk-e-mail", Role::Junk},  // O
    {"archiv", Role::Archive},    // T O
    // French
    {"envoyés", Role::Sent},           // T
    {"messages envoyés", Role::Sent},  // G
    {"éléments envoyés", Role::Sent},  // O
    {"envoyes", Role::Sent},
    {"brouillons", Role::Drafts},  // T O G
    {"brouillon", Role::Drafts},
    {"corbeille", Role::Trash},            // T G
    {"éléments supprimés", Role::Trash},   // O
    {"indésirables", Role::Junk},          // T
    {"courrier indésirable", Role::Junk},  // O
    {"pourriel", Role::Junk},              // T (Canada)
    // Spanish
    {"enviados", Role::Sent},  // T G
    {"enviado", Role::Sent},
    {"elementos enviados", Role::Sent},  // O
    {"mensajes enviados", Role::Sent},
    {"borradores", Role::Drafts},           // T O G
    {"papelera", Role::Trash},              // T G
    {"elementos eliminados", Role::Trash},  // O
    {"eliminados", Role::Trash},
    {"correo no deseado", Role::Junk},  // O T
    {"no deseado", Role::Junk},
    {"archivo", Role::Archive},  // O
    {"archivados", Role::Archive},
    // Italian
    {"inviati", Role::Sent},  // T
    {"inviata", Role::Sent},
    {"posta inviata", Role::Sent},  // O G P
    {"messaggi inviati", Role::Sent},
    {"bozze", Role::Drafts},             // T O G
    {"cestino", Role::Trash},            // T G
    {"posta eliminata", Role::Trash},    // O
    {"posta indesiderata", Role::Junk},  // O T
    {"indesiderata", Role::Junk},
    {"archivio", Role::Archive},
    // Portuguese
    {"itens enviados", Role::Sent},  // O
    {"mensagens enviadas", Role::Sent},
    {"e-mails enviados", Role::Sent},   // G
    {"rascunhos", Role::Drafts},        // T O G
    {"lixeira", Role::Trash},           // T G (Brazil)
    {"lixo", Role::Trash},              // T G (Portugal)
    {"itens excluídos", Role::Trash},   // O (Brazil)
    {"itens eliminados", Role::Trash},  // O (Portugal)
    {"lixo eletrônico", Role::Junk},    // O (Brazil)
    {"lixo eletrónico", Role::Junk},    // O (Portugal)
    {"arquivo", Role::Archive},
    {"arquivo morto", Role::Archive},  // O
    // Dutch
    {"verzonden", Role::Sent},            // T
    {"verzonden items", Role::Sent},      // O
    {"verzonden berichten", Role::Sent},  // G
    {"concepten", Role::Drafts},          // T O G
    {"prullenbak", Role::Trash},          // T G
    {"verwijderde items", Role::Trash},   // O
    {"ongewenst", Role::Junk},            // T
    {"ongewenste e-mail", Role::Junk},    // O
    {"archief", Role::Archive},
    // Danish, Norwegian, Swedish, Finnish
    {"sendt", Role::Sent},             // T
    {"sendt post", Role::Sent},        // O (Danish)
    {"sendte elementer", Role::Sent},  // O (Norwegian)
    {"skickat", Role::Sent},           // T O
    {"skickade", Role::Sent},
    {"skickade objekt", Role::Sent},
    {"lähetetyt", Role::Sent},  // T O
    {"lähetetyt viestit", Role::Sent},
    {"kladder", Role::Drafts},            // T O (Danish)
    {"utkast", Role::Drafts},             // T O (Norwegian, Swedish)
    {"luonnokset", Role::Drafts},         // T O
    {"slettet post", Role::Trash},        // O (Danish)
    {"slettede elementer", Role::Trash},  // O (Norwegian)
    {"papirkurv", Role::Trash},           // T (Danish)
    {"papirkorg", Role::Trash},
    {"papperskorg", Role::Trash},
    {"papperskorgen", Role::Trash},  // T
    {"borttaget", Role::Trash},      // O
    {"borttagna objekt", Role::Trash},
    {"roskakori", Role::Trash},    // T
    {"poistetut", Role::Trash},    // O
    {"uønsket post", Role::Junk},  // T O
    {"uønsket mail", Role::Junk},
    {"søppelpost", Role::Junk},  // O T (Norwegian)
    {"skräppost", Role::Junk},   // T O
    {"roskaposti", Role::Junk},  // T O
    {"arkiv", Role::Archive},
    {"arkisto", Role::Archive},
    // Polish, Czech, Slovak, Hungarian, Romanian
    {"wysłane", Role::Sent},           // T G
    {"elementy wysłane", Role::Sent},  // O
    {"odeslané", Role::Sent},
    {"odeslaná pošta", Role::Sent},  // O T
    {"odoslané", Role::Sent},
    {"odoslaná pošta", Role::Sent},    // O T
    {"elküldött", Role::Sent},         // T
    {"elküldött elemek", Role::Sent},  // O
    {"trimise", Role::Sent},           // T
    {"elemente trimise", Role::Sent},  // O
    {"szkice", Role::Drafts},          // T
    {"wersje robocze", Role::Drafts},  // O G
    {"robocze", Role::Drafts},
    {"koncepty", Role::Drafts},  // O T
    {"rozepsané", Role::Drafts},
    {"rozpísané", Role::Drafts},
    {"piszkozatok", Role::Drafts},       // T O
    {"ciorne", Role::Drafts},            // T
    {"schițe", Role::Drafts},            // O
    {"kosz", Role::Trash},               // T G
    {"elementy usunięte", Role::Trash},  // O
    {"koš", Role::Trash},                // T
    {"odstraněná pošta", Role::Trash},   // O
    {"kôš", Role::Trash},                // T
    {"odstránená pošta", Role::Trash},   // O
    {"kuka", Role::Trash},               // T
    {"lomtár", Role::Trash},
    {"törölt elemek", Role::Trash},  // O
    {"coș de gunoi", Role::Trash},
    {"elemente șterse", Role::Trash},   // O
    {"niechciane", Role::Junk},         // T
    {"wiadomości-śmieci", Role::Junk},  // O
    {"nevyžádaná pošta", Role::Junk},   // O T
    {"nevyžiadaná pošta", Role::Junk},  // O T
    {"levélszemét", Role::Junk},        // T O
    {"archiwum", Role::Archive},
    {"archív", Role::Archive},
    {"archívum", Role::Archive},
    {"arhivă", Role::Archive},
    // Russian, Ukrainian, Greek, Turkish
    {"отправленные", Role::Sent},  // T O G P
    {"надіслані", Role::Sent},     // T O G
    {"απεσταλμένα", Role::Sent},   // T G
    {"απεσταλμενα", Role::Sent},
    {"gönderilmiş", Role::Sent},           // T
    {"gönderilmiş öğeler", Role::Sent},    // O
    {"gönderilmiş postalar", Role::Sent},  // G
    {"черновики", Role::Drafts},           // T O G P
    {"чернетки", Role::Drafts},            // T O G
    {"πρόχειρα", Role::Drafts},            // T O G
    {"taslaklar", Role::Drafts},           // T O G
    {"корзина", Role::Trash},              // T G
    {"удаленные", Role::Trash},            // O P
    {"удалённые", Role::Trash},            // P
    {"кошик", Role::Trash},                // T G
    {"видалені", Role::Trash},             // O
    {"κάδος απορριμμάτων", Role::Trash},   // G
    {"απορρίμματα", Role::Trash},          // T
    {"διαγραμμένα", Role::Trash},          // O
    {"çöp", Role::Trash},                  // T
    {"çöp kutusu", Role::Trash},           // G
    {"silinmiş öğeler", Role::Trash},      // O
    {"спам", Role::Junk},                  // T G P
    {"нежелательная почта", Role::Junk},   // O
    {"небажана пошта", Role::Junk},        // O
    {"ανεπιθύμητα", Role::Junk},           // T
    {"gereksiz e-posta", Role::Junk},      // O
    {"önemsiz", Role::Junk},
    {"архив", Role::Archive},
    {"архів", Role::Archive},
    {"αρχείο", Role::Archive},
    {"arşiv", Role::Archive},
    // Japanese, Chinese, Korean
    {"送信済み", Role::Sent},          // T
    {"送信済みトレイ", Role::Sent},    // T
    {"送信済みアイテム", Role::Sent},  // O
    {"送信済みメール", Role::Sent},    // G
    {"送信済", Role::Sent},
    {"已发送", Role::Sent},      // T P
    {"已发送邮件", Role::Sent},  // G O
    {"已傳送", Role::Sent},
    {"寄件備份", Role::Sent},     // T G O
    {"보낸 편지함", Role::Sent},  // T G O
    {"보낸편지함", Role::Sent},   // P
    {"下書き", Role::Drafts},     // T O G
    {"草稿", Role::Drafts},       // T O G
    {"草稿箱", Role::Drafts},     // P
    {"草稿匣", Role::Drafts},
    {"임시 보관함", Role::Drafts},      // O T
    {"임시보관함", Role::Drafts},       // G P
    {"ごみ箱", Role::Trash},            // T
    {"ゴミ箱", Role::Trash},            // G
    {"削除済みアイテム", Role::Trash},  // O
    {"已删除", Role::Trash},            // P T
    {"已删除邮件", Role::Trash},        // O G
    {"废件箱", Role::Trash},
    {"垃圾桶", Role::Trash},        // T G (Taiwan)
    {"刪除的郵件", Role::Trash},    // O (Taiwan)
    {"휴지통", Role::Trash},        // T G P
    {"지운 편지함", Role::Trash},   // O
    {"迷惑メール", Role::Junk},     // T O G
    {"垃圾邮件", Role::Junk},       // T O G P
    {"垃圾郵件", Role::Junk},       // T O G
    {"스팸", Role::Junk},           // T
    {"스팸함", Role::Junk},         // G
    {"스팸메일함", Role::Junk},     // P
    {"정크 메일", Role::Junk},      // O
    {"アーカイブ", Role::Archive},  // T O
    {"存档", Role::Archive},        // T O
    {"归档", Role::Archive},        // P
    {"封存", Role::Archive},        // T O (Taiwan)
    {"보관함", Role::Archive},      // T
};

/// The small letter of a capital of Latin-1, Latin Extended-A, Greek or Cyrillic; others as they are.
char32_t smallLetter(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 0x20;
  if (c >= 0xC0 && c <= 0xDE && c != 0xD7) return c + 0x20;
  if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1U;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return (c & 1U) != 0 ? c + 1 : c;
  if (c >= 0x218 && c <= 0x21B) return c | 1U;  // Romanian S and T with comma
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c >= 0x391 && c <= 0x3A9) return c + 0x20;
  if (c >= 0x400 && c <= 0x40F) return c + 0x50;
  if (c >= 0x410 && c <= 0x42F) return c + 0x20;
  return c;
}

/// `text` in small letters. Only two-octet UTF-8 has capitals that the tables need; other octets pass as they are.
std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    const bool pair = (octet & 0xE0U) == 0xC0U && i + 1 < text.size();
    if (!pair) {
      out.push_back(octet < 0x80U ? static_cast<char>(smallLetter(octet)) : text[i]);
      continue;
    }
    ++i;
    const auto next = static_cast<unsigned char>(text[i]);
    const char32_t letter = smallLetter(static_cast<char32_t>((octet & 0x1FU) << 6U) | (next & 0x3FU));
    out.push_back(static_cast<char>(0xC0U | (letter >> 6U)));
    out.push_back(static_cast<char>(0x80U | (letter & 0x3FU)));
  }
  return out;
}

}  // namespace

std::string_view roleName(Role role) {
  for (const RoleWords& words : kRoles) {
    if (words.role == role) return words.name;
  }
  return {};
}

std::optional<Role> roleFromName(std::string_view name) {
  if (name.empty()) return Role::None;
  for (const RoleWords& words : kRoles) {
    if (words.name == name) return words.role;
  }
  return std::nullopt;
}

Role roleFromSpecialUse(std::string_view attribute) {
  const std::string wanted = folded(attribute);
  for (const RoleWords& words : kRoles) {
    if (folded(words.specialUse) == wanted) return words.role;
  }
  for (const auto& [text, role] : kOtherAttributes) {
    if (text == wanted) return role;
  }
  return Role::None;
}

Role roleFromMailboxName(std::string_view leaf) {
  const std::string wanted = folded(leaf);
  const auto* const found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const NamedRole& named) { return named.name == wanted; });
  return found == std::end(kNames) ? Role::None : found->role;
}

}  // namespace mailbraid::mailstore
