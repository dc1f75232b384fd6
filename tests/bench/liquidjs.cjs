// Renders one template so often with npm's liquidjs: {template, data, count} on stdin. Counts the
// processor's time, as ours does, so that what else happens on the machine matters little.
const path = require("path");
const { Liquid } = require(path.join(path.resolve(process.argv[2]), "node_modules", "liquidjs"));
const { template, data, count } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const engine = new Liquid();
const parsed = engine.parse(template);
let result;
for (let i = 0; i < Math.min(count, 2000); i++) result = engine.renderSync(parsed, data); // warm
const began = process.cpuUsage();
for (let i = 0; i < count; i++) result = engine.renderSync(parsed, data);
const used = process.cpuUsage(began);
const nanoseconds = 1000 * (used.user + used.system) / count;
process.stdout.write(JSON.stringify({ result, nanoseconds }));
