// Command certificates signs what a test cluster needs: it reads one JSON request from standard input, makes the
// certificate authority in the request's directory unless it is there already, and writes NAME.crt and NAME.key for every
// certificate asked for. It exists because Node.js can read X.509 certificates but not sign them.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Clusters live for minutes, sometimes for days on a developer's machine; a year never gets in the way.
const validity = 365 * 24 * time.Hour

type request struct {
	Directory    string        `json:"directory"`
	Certificates []certificate `json:"certificates"`
}

type certificate struct {
	Name     string   `json:"name"`
	User     string   `json:"user"`
	Groups   []string `json:"groups"`
	IPs      []string `json:"ips"`
	DNSNames []string `json:"dnsNames"`
	Server   bool     `json:"server"`
	Client   bool     `json:"client"`
}

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "certificates:", err)
		os.Exit(1)
	}
}

func run() error {
	var asked request
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil {
		return fmt.Errorf("expected a JSON request on standard input: %w", err)
	}
	if asked.Directory == "" {
		return errors.New("the request names no directory")
	}
	ca, err := loadAuthority(asked.Directory)
	if errors.Is(err, fs.ErrNotExist) {
		ca, err = createAuthority(asked.Directory)
	}
	if err != nil {
		return err
	}
	for _, wanted := range asked.Certificates {
		if err := ca.sign(asked.Directory, wanted); err != nil {
			return fmt.Errorf("certificate %q: %w", wanted.Name, err)
		}
	}
	return nil
}

func loadAuthority(directory string) (*authority, error) {
	certificateDER, err := readPEM(filepath.Join(directory, "ca.crt"))
	if err != nil {
		return nil, err
	}
	keyDER, err := readPEM(filepath.Join(directory, "ca.key"))
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(certificateDER)
	if err != nil {
		return nil, fmt.Errorf("ca.crt: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyDER)
	if err != nil {
		return nil, fmt.Errorf("ca.key: %w", err)
	}
	return &authority{certificate: parsed, key: key}, nil
}

func createAuthority(directory string) (*authority, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := newTemplate(pkix.Name{CommonName: "liberator-test-cluster"})
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if err := writePair(directory, "ca", der, key); err != nil {
		return nil, err
	}
	return &authority{certificate: parsed, key: key}, nil
}

func (ca *authority) sign(directory string, wanted certificate) error {
	if wanted.Name == "" || wanted.Name != filepath.Base(wanted.Name) || wanted.Name == "ca" {
		return errors.New("expected a plain file name other than ca")
	}
	template, err := newTemplate(pkix.Name{CommonName: wanted.User, Organization: wanted.Groups})
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.DNSNames = wanted.DNSNames
	for _, text := range wanted.IPs {
		ip := net.ParseIP(text)
		if ip == nil {
			return fmt.Errorf("%q is not an IP address", text)
		}
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	if wanted.Server {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	if wanted.Client {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return err
	}
	return writePair(directory, wanted.Name, der, key)
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	// An hour back, for machines whose clock is corrected while the cluster starts.
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(validity),
	}, nil
}

func readPEM(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM block", path)
	}
	return block.Bytes, nil
}

func writePair(directory, name string, der []byte, key *ecdsa.PrivateKey) error {
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	if err := os.WriteFile(filepath.Join(directory, name+".key"), keyPEM, 0o600); err != nil {
		return err
	}
	certificatePEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return os.WriteFile(filepath.Join(directory, name+".crt"), certificatePEM, 0o644)
}
