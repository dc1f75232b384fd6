/*
 * address — which addresses a request in a tenant's name may go to.
 */
#ifndef FAN_RUNTIME_ADDRESS_H
#define FAN_RUNTIME_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/**
 * Whether @at is an address of the public internet: not this host, not a private, shared,
 * link-local, documentation, multicast or reserved range, nor an IPv6 address that carries such an
 * IPv4 one.
 *
 * source  IANA special-purpose address registries (RFC 6890)
 */
bool fan_address_public(const struct sockaddr *at);

#endif
