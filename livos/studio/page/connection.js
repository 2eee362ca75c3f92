/** The WebSocket on which the server reports what happens. It reconnects after it breaks. */
import { Emitter } from "./emitter.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/**
 * Emits each message under its type, and also `connected`, `lost`, and `refused`: another server runs at the address now.
 */
export class Connection extends Emitter {
  /**
   * @param {string} address of the WebSocket, with the token
   * @param {() => Promise<boolean>} refuses asks whether there is a server that does not know the token
   */
  constructor(address, refuses) {
    super();
    this.address = address;
    this.refuses = refuses;
    this.pause = FIRST_PAUSE_MS;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.open();
  }

  open() {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.onmessage = (message) => this.receive(message.data);
    socket.onclose = () => void this.reopen();
  }

  async reopen() {
    this.emit("lost");
    if (await this.refuses()) return this.emit("refused");
    setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(LONGEST_PAUSE_MS, this.pause * 1.5);
  }

  /** @param {string} text */
  receive(text) {
    const message = JSON.parse(text);
    if (message.type === "hello") {
      this.pause = FIRST_PAUSE_MS;
      this.emit("connected");
    }
    this.emit(message.type, message);
  }

  /** Asks the server to make this page the one that may change the project. */
  takeOver() {
    this.socket?.send(JSON.stringify({ type: "take_over" }));
  }
}
