// Whether two endpoints may be one account under two names or protocols: then the mail of one is that of the other.
#pragma once

#include "sync/endpoint/settings.h"

namespace mailbraid::sync::endpoint {

/// Of servers: the same user, however each endpoint spells it ("me", "me@example.org", Gmail's "recent:me@gmail.com"),
/// at hosts of one domain or one provider, whatever the protocol and the port. Of trees: the same directory. Where one
/// side does not say a user's domain, or a name without @ has a reading that is the other's ("me%example.org"), the
/// answer is yes. Hosts of two domains may still be one server: nothing may be deleted because the answer is no.
bool maybeSameAccount(const EndpointSettings& left, const EndpointSettings& right);

/// One account over one protocol at one server: 127.0.0.1 is localhost, and a server's two usual ports are one.
bool maybeSameEndpoint(const EndpointSettings& left, const EndpointSettings& right);

}  // namespace mailbraid::sync::endpoint
