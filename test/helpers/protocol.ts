/** AuthenticationOk and ReadyForQuery: the login has succeeded. */
export const welcome = Buffer.from("520000000800000000" + "5a0000000549", "hex");

/** CommandComplete and ReadyForQuery: a statement has succeeded. */
export const done = Buffer.from("430000000d53454c454354203000" + "5a0000000549", "hex");
