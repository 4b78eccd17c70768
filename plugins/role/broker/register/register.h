/* SPDX-License-Identifier: Apache-2.0 */
/* The broker at its name servers: registration, and what it asks them. Lives on the control loop.
 */
#ifndef REGISTER_H
#define REGISTER_H

#include "broker.h"

#ifdef __cplusplus
extern "C" {
#endif

struct topic;

int registrar_new(struct broker *broker, struct registrar **ret);
/* Whether there are name servers to ask, or may be. Any thread; always the same. */
bool registrar_has_servers(const struct broker *broker);
/* Registers as soon as the whole process serves, then periodically. Control thread. */
int registrar_serve(struct registrar *registrar);
/* These topics are new or changed; count 0: some were deleted. Any thread; NULL or a registrar
 * that does not serve yet: nothing to do. */
void registrar_topics_changed(struct broker *broker, struct topic *const *topics, uint32_t count);
/* brokerIP1 and the port, as registered. Control thread. */
void registrar_own_address(const struct broker *broker, char *to, size_t room);
/* Registers everywhere now, for the sake of the answer. Control loop. */
void registrar_ask_again(struct broker *broker);
/* Asks the i-th name server for a topic's route; fills in the request's code and fields. Positive:
 * op finishes as remoting_client_call() says; -ENOTCONN: there is no i-th. Control loop. */
struct remoting_request;
int registrar_ask_route(struct broker *broker, struct gantry_str topic, uint32_t i,
			struct remoting_request *request, struct gantry_op *op);
/* Unregisters everywhere; op finishes when that is answered or its time is up. 0: there is nothing
 * to do. Control thread. */
int registrar_drain(struct registrar *registrar, struct gantry_op *op);
/* Closes connections. As drain. */
int registrar_close(struct registrar *registrar, struct gantry_op *op);
void registrar_free(struct registrar *registrar); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
