#include "sync/sasl/mechanism.h"

#include <algorithm>

namespace mailbraid::sync::sasl {

namespace {

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool sameName(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return upper(a) == upper(b); });
}

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& one) { return sameName(one, name); });
}

bool spokenBinding(const std::optional<ChannelBinding>& binding) {
  return binding && !binding->data.empty() && (binding->type == "tls-exporter" || binding->type == "tls-unique");
}

/// Empty when the announced and allowed mechanism can be used; else what stands against it.
std::string obstacle(const MechanismFacts& facts, const Choice& choice) {
  if (facts.showsSecret && choice.transport == TransportSecurity::Plaintext) {
    return facts.needsToken ? "would show the token without TLS" : "would show the password without TLS";
  }
  if (facts.needsBinding && !spokenBinding(choice.binding)) return "needs channel binding";
  if (facts.needsClientCertificate && !choice.clientCertificate) return "needs a client certificate";
  return {};
}

bool allowedBySettings(const MechanismFacts& facts, const Choice& choice) {
  if (choice.allowed.empty()) return !facts.needsToken;
  if (secretIsToken(choice.allowed) && !facts.needsToken) return false;
  return names(choice.allowed, facts.name);
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& one : list) {
    if (!out.empty()) out += ", ";
    for (const char c : one) out += c > ' ' && c < 0x7F ? c : '?';
  }
  return out;
}

}  // namespace

const MechanismFacts& factsOf(Mechanism mechanism) {
  return kMechanisms[static_cast<std::size_t>(mechanism)];
}

std::optional<Mechanism> mechanismFromName(std::string_view name) {
  for (const MechanismFacts& facts : kMechanisms) {
    if (sameName(facts.name, name)) return facts.mechanism;
  }
  return std::nullopt;
}

bool secretIsToken(const std::vector<std::string>& allowed) {
  return std::any_of(kMechanisms.begin(), kMechanisms.end(),
                     [&](const MechanismFacts& facts) { return facts.needsToken && names(allowed, facts.name); });
}

std::variant<Mechanism, Refusal> chooseMechanism(const Choice& choice) {
  std::string obstacles;
  for (const MechanismFacts& facts : kMechanisms) {
    if (!allowedBySettings(facts, choice) || !names(choice.announced, facts.name)) continue;
    const std::string why = obstacle(facts, choice);
    if (why.empty()) return facts.mechanism;
    obstacles += (obstacles.empty() ? "" : ", ") + std::string(facts.name) + " " + why;
  }
  if (!obstacles.empty()) return Refusal{"no safe way to log in: " + obstacles};
  if (choice.announced.empty()) return Refusal{"the server offers no SASL mechanism"};
  std::string reason = "the server offers " + joined(choice.announced);
  if (choice.allowed.empty()) return Refusal{reason + ", none of which mailbraid can use here"};
  return Refusal{reason + ", but the configuration allows only " + joined(choice.allowed)};
}

bool passwordCommandAllowed(const Choice& choice, std::string_view name) {
  if (choice.transport == TransportSecurity::Plaintext) return false;
  if (choice.allowed.empty()) return true;
  return !secretIsToken(choice.allowed) && names(choice.allowed, name);
}

}  // namespace mailbraid::sync::sasl
