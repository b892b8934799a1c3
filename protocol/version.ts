/** Version of `/v1` as clients see it. A client refuses a service outside `clientSpeaks`; the service says its own in `/v1/health`. */
export const apiVersion = 1;
/** Version of what service and boxd say to each other; the service speaks this one and the one before (design section 2). */
export const boxdProtocol = 2;
export const oldestBoxdProtocol = 1;
/** WebSocket subprotocol that the service echoes; the ticket rides beside it as `spoon.ticket.<ticket>`. */
export const socketProtocol = 'spoon.v1';
export const ticketProtocolPrefix = 'spoon.ticket.';
