// node-redis 4: commands on stdin, a line each, words separated by tabs; scalars of the reply on
// lines of their own, then `--`. Ends with QUIT, as the library does.
const { createClient } = require("redis");

function show(reply) {
  if (reply === null || reply === undefined) return;
  if (Array.isArray(reply)) reply.forEach(show);
  else console.log(String(reply));
}

(async () => {
  const client = createClient({ socket: { path: process.argv[2] } });
  client.on("error", (error) => { console.error(String(error)); process.exit(69); });
  await client.connect();
  const lines = require("fs").readFileSync(0, "utf8").split("\n").filter((line) => line);
  for (const line of lines) {
    try {
      show(await client.sendCommand(line.split("\t")));
    } catch (error) {
      console.log(error.message);
    }
    console.log("--");
  }
  await client.quit();
})();
